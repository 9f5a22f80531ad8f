// fetch: takes a person's id, prints the answers' statuses. The body is a stream, and an aborted call ends as one.
import { Readable } from 'node:stream';

const headers = {
  authorization: 'Basic ' + Buffer.from(`${process.env.CIO_SITE_ID}:${process.env.CIO_TRACK_API_KEY}`).toString('base64'),
  'content-type': 'application/json',
};
const person = `https://track.customer.io/api/v1/customers/${process.argv[2]}`;
const body = Readable.from([Buffer.from('{"client":'), Buffer.from('"fetch"}')]);
const identified = await fetch(person, { method: 'PUT', headers, body, duplex: 'half' });
const elsewhere = await fetch(new Request('https://track-eu.customer.io/auth', { headers }));
await fetch(person, { signal: AbortSignal.abort() }).then(
  () => process.exit(1),
  (error) => { if (error.name !== 'AbortError') throw error; },
);
console.log(identified.status, elsewhere.status);
