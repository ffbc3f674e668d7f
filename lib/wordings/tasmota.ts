/** Why Tasmota cannot store a setting, did not keep it, or which module a device is. */
export const TASMOTA_WORDINGS = {
  'setting-outer-space': 'it begins or ends with a space',
  'setting-sign': 'to Tasmota this single character has a meaning of its own',
  'setting-control': 'it has a control character',
  'setting-long': 'it has more than {limit} bytes',
  'setting-short': 'it has fewer than {limit} characters',
  'setting-topic': 'a topic of one level has no space and none of + # / ; %',
  'setting-template': 'it is neither the number of a module nor a template, which begins with {"NAME":',
  'broker-is-itself': 'to the device, {host} is the device itself',
  'broker-is-itself-address': 'to the device, {host} is the device itself; this machine is {address} at home',
  'setting-lost': 'its {what} is {kept}, not {wanted}',
  'settings-lost': '{first}; {second}',
  'command-unanswered': 'it did not answer a command',
  'module-untold': 'not known yet',
  'module-of-several': 'it may be {list} or {last}',
} as const;
