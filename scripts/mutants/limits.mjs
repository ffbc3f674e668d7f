/** What one peer may take: a wrong answer here lets a stranger lock everyone out, or cuts off a device. */
export default [
  {
    file: 'lib/server/request-limits.ts',
    find: 'if (this.#inHead || this.#open > 0) return;',
    replace: 'clearTimeout(this.#timer);',
    tests: ['server/cloud-server', 'server/image-server'],
    why: 'a request that comes a byte at a time holds its connection for ever',
  },
  {
    file: 'lib/server/request-limits.ts',
    find: "this.#start(this.limits.bodyMs, 'the body of its request');",
    replace: '',
    tests: ['server/cloud-server', 'server/image-server'],
    why: 'a body that comes a byte at a time holds its connection for ever',
  },
  {
    file: 'lib/server/request-limits.ts',
    find: 'server.timeout = quietMs;',
    replace: '',
    tests: ['server/cloud-server', 'server/image-server'],
    why: 'a connection that sends nothing is kept for ever',
  },
  {
    file: 'lib/server/image-server.ts',
    find: 'socket.setTimeout(this.options.idleLimitMs ?? IMAGE_IDLE_LIMIT_MS);',
    replace: '',
    tests: ['server/image-server'],
    why: 'a device that erases a sector between two ranges loses its connection',
  },
  {
    file: 'lib/server/device-connection.ts',
    find: "this.emit('unregistered', this.#limits.registerMs / 1000);\n    this.close();",
    replace: '',
    tests: ['server/cloud-server'],
    why: 'a WebSocket that never registers stays open',
  },
  {
    file: 'lib/server/device-connection.ts',
    find: "case 'registered':\n        clearTimeout(this.#registerLimit);",
    replace: "case 'registered':",
    tests: ['server/device-connection'],
    why: 'a registered device loses its session after 10 s',
  },
];
