// A function for Node. Run by aws-lambda-ric, as on Lambda.

export const handler = async (event, context) => {
  if (event.do === 'raise') throw new TypeError('no such pet');
  if (event.do === 'print') console.log('on stdout');
  return {
    event,
    pid: process.pid,
    requestId: context.awsRequestId,
    arn: context.invokedFunctionArn,
    functionName: context.functionName,
    remaining: context.getRemainingTimeInMillis(),
  };
};
