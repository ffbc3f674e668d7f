/** What is fetched from servers, and what is asked of devices. */
export default [
  {
    file: 'lib/client/http-get.ts',
    find: "if (url.protocol === 'https:' && next.protocol === 'http:')",
    replace: 'if (false)',
    tests: ['client/http-get'],
    why: 'an image that was to come over https comes over http, from whoever is in between',
  },
  {
    file: 'lib/client/http-get.ts',
    find: 'authorization && url.origin === origin ?',
    replace: 'authorization ?',
    tests: ['client/http-get'],
    why: 'a password is sent to wherever a server redirects',
  },
  {
    file: 'lib/client/http-get.ts',
    find: "if (!location) throw new RequestRefused(wording('redirects-nowhere'));",
    replace: '',
    tests: ['client/http-get'],
    why: 'a redirect without a target is followed',
  },
];
