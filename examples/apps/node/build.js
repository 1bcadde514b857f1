// Stands for a bundler: what it writes is part of the slug.
'use strict';
const fs = require('fs');
fs.mkdirSync('dist', {recursive: true});
fs.writeFileSync('dist/built.json', JSON.stringify({node: process.version}));
console.log('built dist/built.json');
