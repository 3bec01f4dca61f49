import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Db } from "../../shared/store/db.ts";
import type { TableDefinition } from "./memory-dynamo.ts";

/** An emulated DynamoDB with these tables, on a free port of the loopback. */
export const startDynalite = async (tables: TableDefinition[]): Promise<{ db: Db; stop(): Promise<void> }> => {
	const { default: dynalite } = (await import("dynalite" as string)) as { default: (options: object) => Server };
	const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(0, "127.0.0.1", resolve);
	});
	const client = new DynamoDBClient({
		endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		region: "us-east-1",
		credentials: { accessKeyId: "local", secretAccessKey: "local" },
		maxAttempts: 1,
	});
	for (const table of tables) {
		const keys = (of: { hash: string; range?: string }) => [
			{ AttributeName: of.hash, KeyType: "HASH" as const },
			...(of.range === undefined ? [] : [{ AttributeName: of.range, KeyType: "RANGE" as const }]),
		];
		const names = new Set([table, ...(table.indexes ?? [])].flatMap((of) => keys(of).map((key) => key.AttributeName)));
		await client.send(
			new CreateTableCommand({
				TableName: table.name,
				BillingMode: "PAY_PER_REQUEST",
				KeySchema: keys(table),
				AttributeDefinitions: [...names].map((name) => ({
					AttributeName: name,
					AttributeType: table.numbers?.includes(name) ? ("N" as const) : ("S" as const),
				})),
				...(table.indexes
					? {
							GlobalSecondaryIndexes: table.indexes.map((index) => ({
								IndexName: index.name,
								KeySchema: keys(index),
								Projection: { ProjectionType: index.projection },
							})),
						}
					: {}),
			}),
		);
	}
	const db = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
	return {
		db,
		stop: async () => {
			client.destroy();
			server.closeAllConnections();
			await new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())));
		},
	};
};
