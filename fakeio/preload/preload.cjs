// Loaded first by every Node.js under `fakeio exec` (NODE_OPTIONS): sockets that are opened to the hosts of Customer.io
// end at the fake. Done where every client meets, at the socket, so that `fetch`, `https.request`, undici and the rest
// keep all they can do. The name that TLS asks for, and the Host header, stay what the program said.
'use strict';

const fs = require('fs');
const path = require('path');
const net = require('net');

const FILE = path.join(__dirname, 'routes.json');

function redirect(routes) {
  const connect = net.Socket.prototype.connect;
  const hosts = new Set(routes.hosts);

  const isOurs = (host) => typeof host === 'string' && hosts.has(host.toLowerCase().replace(/\.$/, ''));
  const elsewhere = (port) => ({ host: routes.address, port: routes.ports[String(port)] || 0 });

  net.Socket.prototype.connect = function (...args) {
    const normalized = Array.isArray(args[0]); // net.connect() hands over one list, marked as checked
    const target = normalized ? args[0][0] : args[0];
    if (target && typeof target === 'object') {
      if (isOurs(target.host)) {
        const moved = Object.assign({}, target, elsewhere(target.port), { lookup: undefined, family: undefined });
        if (normalized) args[0][0] = moved;
        else args[0] = moved;
      }
    } else if (isOurs(args[1])) {
      const moved = elsewhere(target);
      args[0] = moved.port;
      args[1] = moved.host;
    }
    return connect.apply(this, args);
  };
}

function trust(routes) {
  // A program that names its own authorities no longer takes those of NODE_EXTRA_CA_CERTS.
  const tls = require('tls');
  const authority = fs.readFileSync(routes.ca_file);
  const createSecureContext = tls.createSecureContext;
  tls.createSecureContext = (options, ...rest) => {
    const given = options && options.ca;
    const more = given ? Object.assign({}, options, { ca: [].concat(given, authority) }) : options;
    return createSecureContext(more, ...rest);
  };
  require('module').syncBuiltinESMExports();
}

if (fs.existsSync(FILE)) {
  const routes = JSON.parse(fs.readFileSync(FILE, 'utf8'));
  redirect(routes);
  trust(routes);
}
