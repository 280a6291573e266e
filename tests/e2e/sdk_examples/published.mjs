// Loaded before a published example, which stays as it is: its fixed port becomes $PORT, and the services it asks on
// the internet are those at $INTERNET.
import { Server } from 'node:http';

const listen = Server.prototype.listen;
Server.prototype.listen = function (...rest) {
  this.once('listening', () => console.log('listening'));
  return typeof rest[0] === 'number' ? listen.call(this, Number(process.env.PORT), ...rest.slice(1)) : listen.apply(this, rest);
};

const fetch = globalThis.fetch;
globalThis.fetch = (url, options) => fetch(String(url).replace('https:/', process.env.INTERNET), options);
