// customerio-node: takes a person's id and the package's name, prints the fates of a write and of one at the EU host.
'use strict';

const path = require('node:path');

const { APIClient, RegionEU, RegionUS, TrackClient } = require(path.join(process.env.FAKEIO_NODE_MODULES, process.argv[3]));

const track = (region) => new TrackClient(process.env.CIO_SITE_ID, process.env.CIO_TRACK_API_KEY, { region });

async function main() {
  const [id, client] = process.argv.slice(2);
  await track(RegionUS).identify(id, { client, email: `${id}@example.com` });
  const refused = await track(RegionEU).identify(id, {}).catch((error) => error.statusCode);
  const api = new APIClient(process.env.CIO_APP_API_KEY, { region: RegionUS });
  const found = await api.getCustomersByEmail(`${id}@example.com`);
  console.log(found.results[0].id === id ? 200 : found, refused);
}

main();
