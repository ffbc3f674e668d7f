import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import { readSource, type ImageSource } from '../../lib/flash/firmware/image-source';
import { examine, flashPicture, ROADS, roadFacts, type Examination, type Road } from '../../lib/image';
import { libraryOf } from '../shared/library';
import { textOrNone } from '../shared/properties';
import { translateError, translateFinding, translator } from '../shared/translate';

interface ImageDoctorDef extends NodeDef {
  road: string;
}

/** What a message may carry in, and what it carries out. */
interface DoctorMessage extends NodeMessage {
  road?: unknown;
  picture?: string;
}

export default function register(RED: NodeAPI): void {
  function SonotaImageDoctor(this: Node, config: ImageDoctorDef): void {
    RED.nodes.createNode(this, config);
    const translate = translator(RED, config.type);
    const closing = new AbortController();

    const look = async (message: DoctorMessage): Promise<Examination> => {
      const road = roadOf(textOrNone(config.road) ?? message.road);
      const source = message.payload as ImageSource;
      const options = { signal: closing.signal, library: libraryOf(RED) };
      const { bytes } = await readSource(roadFacts(road).role, source, options);
      return examine(bytes, road);
    };
    const show = ({ verdict, findings }: Examination): void => {
      const first = findings[0];
      if (verdict === 'refuse') this.status({ fill: 'red', shape: 'ring', text: first?.code ?? '' });
      else if (verdict === 'warn') this.status({ fill: 'yellow', shape: 'dot', text: first?.code ?? '' });
      else this.status({ fill: 'green', shape: 'dot', text: translate('status.ok', 'fits') });
    };

    this.on('input', (message: DoctorMessage, send, done) => {
      look(message)
        .then((examined) => {
          const findings = examined.findings.map((finding) => translateFinding(RED, finding));
          const image = { ...examined, findings };
          show(image);
          send(Object.assign(message, { payload: image, picture: flashPicture({ image }) }));
          done();
        })
        .catch((thrown: unknown) => {
          const error = asFlashError(thrown);
          // A node that goes lets its messages go, without an error.
          if (closing.signal.aborted) return done();
          this.status({ fill: 'red', shape: 'ring', text: error.code });
          done(translateError(RED, error));
        });
    });
    this.on('close', () => closing.abort());
    this.status({ fill: 'grey', shape: 'ring', text: translate('status.idle', 'idle') });
  }

  RED.nodes.registerType('sonota-image-doctor', SonotaImageDoctor);
}

/** The road that is meant; a final image's where nothing says which. @throws FlashError `road-unknown` */
function roadOf(value: unknown): Road {
  if (value === undefined || value === null || value === '') return 'finalstage';
  const road = ROADS.find((one) => one === value);
  if (road) return road;
  const given = typeof value === 'string' ? value.slice(0, 40) : typeof value;
  throw new FlashError('road-unknown', { road: given, known: ROADS.join(', ') });
}
