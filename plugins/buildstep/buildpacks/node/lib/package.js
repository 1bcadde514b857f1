// Answers one question about ./package.json by its exit code or its output.
'use strict';
const fs = require('fs');

const question = process.argv[2];
let pack;
try {
  pack = JSON.parse(fs.readFileSync('package.json', 'utf8').replace(/^\uFEFF/, ''));
} catch (error) {
  console.log(` !     package.json: ${error.message}`);
  process.exit(1);
}
if (pack === null || typeof pack !== 'object' || Array.isArray(pack)) {
  console.log(' !     package.json: not a JSON object');
  process.exit(1);
}

const scripts = pack.scripts || {};
const count = (key) => Object.keys(pack[key] || {}).length;
const groups = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];
const lifecycle = ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare'];
const hasLifecycle = lifecycle.some((name) => scripts[name]) || fs.existsSync('binding.gyp');
const isLocal = (spec) => /^(file:|link:|workspace:|\.|\/|~)/.test(String(spec));
const hasLocal = Boolean(pack.workspaces) ||
    groups.some((group) => Object.values(pack[group] || {}).some(isLocal));

const answers = {
  'valid': () => true,
  'engine': () => { console.log((pack.engines && pack.engines.node) || ''); return true; },
  'script': () => Boolean(scripts[process.argv[3]]),
  'start': () => Boolean(scripts.start),
  'has-dev-dependencies': () => count('devDependencies') > 0,
  'has-nothing-to-install': () => groups.every((group) => count(group) === 0) && !pack.workspaces && !hasLifecycle,
  'can-reuse': () => !hasLifecycle && !hasLocal,
};
if (!answers[question]) {
  console.log(` !     package.js does not know the question ${question}`);
  process.exit(2);
}
process.exit(answers[question]() ? 0 : 1);
