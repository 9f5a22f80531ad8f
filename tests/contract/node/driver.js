// Makes calls of customerio-node for the tests: one JSON document a line in, one a line out, in order.
// In:  {client, keys, options, method, args}; an argument {$new, of} is an object the library has a class for;
//      without a method the answer is the list of the client's methods.
// Out: {value} or {error: {name, message, status}}.
'use strict';

const path = require('node:path');
const readline = require('node:readline');

const sdk = require(path.join(process.env.FAKEIO_NODE_MODULES, 'customerio-node'));

const isMadeByClass = (argument) => argument !== null && typeof argument === 'object' && '$new' in argument;
const built = (argument) => (isMadeByClass(argument) ? new sdk[argument.$new](argument.of) : argument);

async function answer({ client, keys, options, method, args }) {
  if (!method) {
    const names = Object.getOwnPropertyNames(sdk[client].prototype);
    return { value: names.filter((name) => name !== 'constructor') };
  }
  try {
    const value = await new sdk[client](...keys, options)[method](...args.map(built));
    return { value };
  } catch (error) {
    return { error: { name: error.name, message: error.message, status: error.statusCode ?? null } };
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
  }
}

main().then(() => process.exit(0));
