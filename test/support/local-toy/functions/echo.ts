import { note } from "./things.ts";

/** Answers with the event, and with what it sees of the environment. */
export const handler = async (event: { routeKey: string; body?: string }) => {
	if (event.routeKey.endsWith("/sync")) await note(`sync ${event.body}`);
	return {
		statusCode: 200,
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({
			event,
			env: {
				COLOUR: process.env["COLOUR"],
				QUEUE_WORK: process.env["QUEUE_WORK"],
				NAME: process.env["AWS_LAMBDA_FUNCTION_NAME"],
			},
		}),
	};
};
