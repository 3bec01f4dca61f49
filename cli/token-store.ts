import type { Db } from "../shared/store/db.ts";
import { CREDENTIAL_ERRORS } from "./aws-errors.ts";
import { CliError } from "./errors.ts";

/** Where tokens are kept: a table, and a client that may use it. */
export interface TokenStore {
	db: Db;
	table: string;
}

/** Turns failures of AWS into words: these commands use the user's own credentials, not the API. */
export const withAws = async <T>(store: TokenStore, run: () => Promise<T>): Promise<T> => {
	try {
		return await run();
	} catch (error) {
		if (error instanceof CliError || !(error instanceof Error)) throw error;
		const where = `table ${store.table}`;
		if (CREDENTIAL_ERRORS.includes(error.name)) {
			throw new CliError(`There are no AWS credentials that work: ${error.message}`, {
				code: "credentials",
				where,
				remedy: "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; tokens are made with AWS credentials",
				cause: error,
			});
		}
		if (error.name === "ResourceNotFoundException") {
			throw new CliError("There is no such table.", {
				code: "table",
				where,
				remedy: "give the --stage that was deployed, or the --table, and the region by AWS_REGION",
				cause: error,
			});
		}
		if (error.name === "AccessDeniedException") {
			throw new CliError(`These AWS credentials may not use the table: ${error.message}`, {
				code: "access",
				where,
				cause: error,
			});
		}
		if (/region/i.test(error.message) && /missing/i.test(error.message)) {
			throw new CliError("The AWS region is not known.", {
				code: "region",
				where,
				remedy: "set AWS_REGION to the region of the deployment",
				cause: error,
			});
		}
		throw new CliError(`DynamoDB cannot be used: ${error.message || error.name}`, {
			code: "aws",
			where,
			remedy: "check AWS_REGION (and AWS_ENDPOINT_URL, if set) and the network",
			cause: error,
		});
	}
};
