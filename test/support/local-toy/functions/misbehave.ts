import { setTimeout as delay } from "node:timers/promises";
import { note } from "./things.ts";

/** Above the function's time limit of 1 s. */
const TOO_LONG_MS = 1_500;

export const handler = async (event: { pathParameters: { how: string } }) => {
	switch (event.pathParameters.how) {
		case "throw":
			throw new Error("as asked for");
		case "late":
			await delay(TOO_LONG_MS);
			await note("written after the time limit");
			return {};
		case "huge":
			return { statusCode: 200, body: "x".repeat(7_000_000) };
		default:
			return { plain: "object" };
	}
};
