/** What Home Assistant is told of, and what is kept of it. */
export default [
  {
    file: 'nodes/sonota-home-assistant/device-memory.ts',
    find: '    this.isToBeWritten = false;\n',
    replace: '',
    tests: ['nodes/home-assistant'],
    why: 'only the first change reaches the disk',
  },
  {
    file: 'nodes/sonota-home-assistant/device-memory.ts',
    find: '    this.isToBeWritten = false;\n    await mkdir(folder, { recursive: true, mode: 0o700 });',
    replace: '    await mkdir(folder, { recursive: true, mode: 0o700 });\n    this.isToBeWritten = false;',
    tests: ['nodes/home-assistant'],
    why: 'after a write that failed, nothing is written any more',
  },
];
