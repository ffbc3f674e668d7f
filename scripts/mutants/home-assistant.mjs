/** What is published to Home Assistant, and what is kept of it. */
export default [
  {
    file: 'lib/storage/following-file.ts',
    find: '      for (let content = this.taken(); content; content = this.taken()) {',
    replace: '      for (let content = this.taken(); content; content = undefined) {',
    tests: ['nodes/home-assistant', 'storage/following-file'],
    why: 'only the first change reaches the disk',
  },
  {
    file: 'lib/storage/following-file.ts',
    find: '    } finally {\n      this.writing = undefined;\n    }',
    replace: '    }\n    if (!this.hasFailed) this.writing = undefined;',
    tests: ['nodes/home-assistant', 'storage/following-file'],
    why: 'after a write that failed, nothing is written any more',
  },
];
