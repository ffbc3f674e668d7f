/** Whose turn the radio is, and how it is left. */
export default [
  {
    file: 'lib/flash/radio/network-visit.ts',
    find: 'await this.releasing;',
    replace: 'await lease?.release();',
    tests: ['flash/radio'],
    why: 'a stage ends, and the next begins, before the home Wi-Fi is back',
  },
  {
    file: 'lib/flash/radio/radio.ts',
    find: '    } catch (error) {\n      owner.release();\n      throw error;',
    replace: '    } catch (error) {\n      throw error;',
    tests: ['flash/radio'],
    why: 'after a stage that ends too soon, no other ever has the Wi-Fi',
  },
  {
    file: 'lib/flash/radio/radio.ts',
    find: 'if (owner.users > 0) continue;',
    replace: '',
    tests: ['flash/radio'],
    why: 'to close one host closes the Wi-Fi driver of another',
  },
  {
    file: 'lib/flash/radio/radio.ts',
    find: '      owner.cleaned = undefined;\n',
    replace: '',
    tests: ['flash/radio'],
    why: 'what an earlier run left behind is never looked for again',
  },
];
