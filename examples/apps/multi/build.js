'use strict';
const fs = require('fs');
fs.mkdirSync('dist', {recursive: true});
fs.writeFileSync('dist/index.html', `<!doctype html>\n<title>Built</title>\n<p>Built with node ${process.version}\n`);
console.log('built dist/index.html');
