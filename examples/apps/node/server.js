'use strict';
const http = require('http');
const {greet} = require('greeter');
const built = require('./dist/built.json');

const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`${greet(process.env.NAME || 'davit')} (built with node ${built.node}, ${process.env.NODE_ENV})\n`);
});
server.listen(process.env.PORT || 5000, () => console.log(`listening on port ${server.address().port}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
