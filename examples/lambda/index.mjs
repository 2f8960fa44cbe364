// Behind an HTTP API: the event has format 2.0, and what has no `statusCode` is the body of an answer with 200.

export const sum = async (event) => {
  const numbers = JSON.parse(event.body ?? '[]');
  console.log(`${event.requestContext.authorizer.lambda.who} adds ${numbers.length} numbers`);
  return { sum: numbers.reduce((sum, number) => sum + number, 0) };
};
