// https.request, http.request, a client that names its own authorities, and another host: takes a person's id, prints
// the statuses.
'use strict';

const http = require('node:http');
const https = require('node:https');
const tls = require('node:tls');

const auth = `${process.env.CIO_SITE_ID}:${process.env.CIO_TRACK_API_KEY}`;

function call(library, options, body) {
  return new Promise((resolve, reject) => {
    const request = library.request({ auth, ...options }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode));
    });
    request.on('error', reject).end(body);
  });
}

async function main() {
  const person = { method: 'PUT', host: 'track.customer.io', path: `/api/v1/customers/${process.argv[2]}` };
  const headers = { 'content-type': 'application/json' };
  const statuses = [
    await call(https, { ...person, headers }, '{"client":"https"}'),
    await call(https, { host: 'track-eu.customer.io', path: '/auth' }),
    await call(https, { host: 'track.customer.io', path: '/auth', ca: tls.rootCertificates, agent: false }),
    await call(http, { host: 'TRACK.customer.io', path: '/auth' }),
    await call(http, { host: '127.0.0.1', port: new URL(process.env.FAKEIO_URL).port, path: '/nowhere' }),
  ];
  console.log(...statuses);
}

main();
