/** One flash of one device, and what its device does in FinalStage. */
export default [
  {
    file: 'lib/flash/job/finalstage-session.ts',
    find: 'const isOvertaken = (): boolean => this.deliveries[image] !== delivery;',
    replace: 'const isOvertaken = (): boolean => false;',
    tests: ['flash/finalstage-session'],
    why: 'the end of an older connection overwrites the newer delivery',
  },
  {
    file: 'lib/flash/job/finalstage-session.ts',
    find: "if (upTo === size) this.news('checkpoint');\n          else this.news();",
    replace: 'this.news();',
    tests: ['flash/finalstage-session'],
    why: 'that every byte is out is not on disk when the process is killed',
  },
];
