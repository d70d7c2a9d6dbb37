/** Stands in for Remotion's function: says what its props tell it to say. What it would write into the bucket, the test writes. */
const write = (stream, answer) => new Promise((resolve) => stream.write(JSON.stringify(answer), resolve));

const propsOf = ({ inputProps }) => JSON.parse(inputProps.payload);

const composition = { id: 'fake', width: 320, height: 180, fps: 30, durationInFrames: 30 };

const actions = {
  compositions: (event, stream) =>
    write(stream, {
      type: 'success',
      compositions: [{ ...composition, ...propsOf(event).composition }],
    }),
  start: (event, stream) =>
    write(stream, { type: 'success', bucketName: event.bucketName, renderId: propsOf(event).renderId }),
};

export const handler = globalThis.awslambda.streamifyResponse(async (event, stream) => {
  await actions[event.type](event, stream);
  stream.end();
});
