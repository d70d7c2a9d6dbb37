import { type CalculateMetadataFunction, Composition } from 'remotion';
import { describeAll } from './describe-all.ts';
import { describeCompositionId, type PageDescription } from './protocol.ts';

type Props = { isAsked: boolean; compositions: PageDescription[] };

const Nothing = () => null;

/** Only when asked: whoever lists all compositions of a bundle runs this function too. */
const calculateMetadata: CalculateMetadataFunction<Props> = async ({ props }) =>
  props.isAsked ? { props: { ...props, compositions: await describeAll() } } : {};

/** Never rendered: whoever selects it with `isAsked` gets the description of all compositions in its props. */
export const DescribeComposition = () => (
  <Composition
    id={describeCompositionId}
    component={Nothing}
    width={2}
    height={2}
    fps={1}
    durationInFrames={1}
    defaultProps={{ isAsked: false, compositions: [] } as Props}
    calculateMetadata={calculateMetadata}
  />
);
