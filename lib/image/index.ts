/** ESP8266 images: bytes to facts and back. Pure: no files, no sockets. */

export { checkImage } from './check';
export type { Checksum, FlashMode, ImageFacts, ImageKind, ImagePart, ImageRole, Segment, SlotWords } from './facts';
export { APP_OFFSET, FINAL_LIMIT, SMALLEST_IMAGE, USER_LIMIT } from './format';
export { readImage } from './read';
export { makeFinalImage, makeUserImage } from './writer';
export type { ImageOptions, UserImageOptions } from './writer';
