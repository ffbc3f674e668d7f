/** Lines of a host's log, other than the sentences of a code. */
export const LOG_WORDINGS = {
  'log-listening': 'listening on {bind}: {https} (TLS), {legacy} (plain), {http} (images)',
  'log-refused': 'connections of {peer} are refused: {why}',
  'log-limit-peer': 'it has more than {count} that no device was seen on; each new one closes the oldest',
  'log-limit-total': 'there are more than {count} that no device was seen on; each new one closes the oldest',
  'log-limit-port': 'too many are open on one port',
  'log-limit-handshakes': 'it starts more than {count} TLS handshakes a second',
  'log-limit-sessions': 'it has the sessions of {count} devices',
  'log-wifi-removed': 'a Wi-Fi connection of an earlier run was removed: {name}',
  'log-wifi-unsearched':
    'connections that an earlier run may have left of its Wi-Fi could not be looked for: {message}',
  'log-identity-replaced': '{file} is replaced by a new TLS identity: {message}',
  'log-identity-unwritten': '{file} cannot be written: {message}',
  'log-jobs-unread': 'the jobs of an earlier run: {message}',
  'log-jobs-unwritten': 'the jobs cannot be stored in {file}: {message}',
  'log-message-cut': 'a message of node {node} comes back without what was too big to store: {list}',
} as const;
