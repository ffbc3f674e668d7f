/** Why something that a person asks for in the editor cannot be done. */
export const ACTION_WORDINGS = {
  'host-gone': 'this host is not deployed',
  'node-gone': 'this node is not deployed',
  'flash-gone': 'this flash is no longer listed',
  'flash-running': 'a stage of this flash is still running',
  'flash-resting': 'no stage of this flash is running',
  'retry-message-gone': 'the message that started the failed stage is no longer known',
  'queue-action-unknown': 'the queue has no such action',
  'next-step-none': 'there is no next step for this flash',
} as const;
