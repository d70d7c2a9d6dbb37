/** A function that knows one question: which version it is. It says what its name says. */
export const handler = async (_event, stream) => {
  const [, version = ''] = /^remotion-render-(.+)-mem/.exec(process.env.AWS_LAMBDA_FUNCTION_NAME) ?? [];
  stream.end(JSON.stringify({ type: 'success', version: version.replaceAll('-', '.') }));
};
