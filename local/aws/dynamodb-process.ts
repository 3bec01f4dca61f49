/** DynamoDB in a process of its own, so that it does not share the event loop with the Lambdas. */
import { serveParent } from "../stack/child-main.ts";
import { type DynamoServerOptions, startDynamoServer } from "./dynamodb/server.ts";

serveParent(async (options: DynamoServerOptions) => {
	const server = await startDynamoServer(options);
	return {
		info: { endpoint: server.endpoint },
		methods: {
			faultCounts: () => server.faultCounts(),
			setFaults: server.setFaults,
			meterTotals: () => server.meterTotals(),
			meterTotalsBySource: () => server.meterTotalsBySource(),
		},
		stop: () => server.stop(),
	};
});
