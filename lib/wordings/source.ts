/** Why there is no image, or it cannot be read or kept. */
export const FIRMWARE_WORDINGS = {
  'no-image': 'image at all: none is chosen',
  'no-pair': 'FinalStage pair (user1, user2)',
  'no-user1': 'user1 image',
  'no-user2': 'user2 image',
  'no-final': 'final image',
  'no-such-name': 'image of that name ({name} is not known here)',
  'not-in-catalog': 'image of that name (the catalog has no {name})',
  'no-download': 'download of {name} with the digest {sha256}',
  'not-in-store': 'image of that digest ({sha256} is not in the store)',
  'no-firmware-node': 'firmware node called "{name}"',
  'no-file': 'there is no such file on the machine that runs Node-RED',
  'no-file-drive': 'there is no such file on the machine that runs Node-RED: a drive letter is of Windows',
  'no-file-share':
    'there is no such file on the machine that runs Node-RED: mount that network share there, and give its path there',
  'no-file-address':
    'there is no such file on the machine that runs Node-RED; if it is an address, write http://{given}',
  'file-forbidden': 'Node-RED has no permission to read it',
  'file-folder': 'it is a folder',
  'file-irregular': 'it is not a regular file',
  'file-links': 'its links lead in a circle',
  'file-path-long': 'the path is too long',
  'file-path-zero': 'the path holds a zero byte',
  'disk-error': 'the disk reports an error',
  'source-unreadable': 'it is neither a path, an address nor a Buffer',
  'folder-forbidden': 'Node-RED has no permission',
  'disk-read-only': 'the disk is read-only',
  'folder-is-file': 'there is a file in the place of the folder',
  'thread-gone': 'the thread that examines images is gone: {message}',
  'thread-ended': 'it ended with code {code}',
  'thread-strange': 'the thread that examines images answered something else',
} as const;

export type FirmwareReason = keyof typeof FIRMWARE_WORDINGS;
