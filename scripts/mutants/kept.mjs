/** Stored files: a wrong answer here ends Node-RED at its start, or loses what was kept. */
export default [
  {
    file: 'lib/flash/kept/following-file.ts',
    find: 'for (let content = this.taken(); content; content = this.taken()) {',
    replace: 'for (const content of [this.taken() ?? (() => undefined)]) {',
    tests: ['flash/following-file'],
    why: 'what changes during a write is never written',
  },
  {
    file: 'lib/flash/tasmota/kept-set-ups.ts',
    find: 'unmarked: (setUps) => ({ setUps }),',
    replace: '',
    tests: ['flash/tasmota/kept-set-ups'],
    why: 'an update forgets the set-ups under way',
  },
  {
    file: 'lib/flash/host/home-memory.ts',
    find: 'unmarked: (content) => content,',
    replace: '',
    tests: ['flash/home-memory'],
    why: "an update in a device's access point forgets the home address",
  },
  {
    file: 'lib/flash/kept/job-record.ts',
    find: "job.isOpen || (job.stage === 'failed' && job.lastStage === 'finalstage')",
    replace: 'job.isOpen',
    tests: ['flash/job-memory-writes'],
    why: 'the images of a job that failed in FinalStage are gone after a restart',
  },
];
