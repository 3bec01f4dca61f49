/**
 * Alarms, made from the list of functions so that none is left out. Each goes to the topic `AlarmsTopic`: subscribe to it.
 * (CommonJS: `serverless` loads it with require.)
 */

/** Queues whose dead letters mean work that was given up. */
const QUEUES = ["Imports", "Sweeps", "Recovery", "Fleet"];
const MINUTE = 60;

/**
 * Lines of the log that a person must act on, by the function that writes them (the events are named where they are written). What mends itself, such
 * as one failed start or a type that is out of capacity, is none of them.
 */
const EVENTS = [
	{
		name: "EnrolledTwice",
		fn: "enrol-instance",
		pattern: '{ $.event = "enrol.second" }',
		description:
			"One start of an instance was enrolled twice: somebody else has its identity document. Both were refused (docs/runbooks/enrolled-twice.md).",
		rule: {},
	},
	{
		name: "FleetHalted",
		fn: "scale-fleet",
		pattern: '{ $.event = "fleet.halted" }',
		description:
			"EC2 refuses to start burst hosts for a reason that passes only if somebody acts: a quota, or the configuration (docs/runbooks/burst-not-starting.md).",
		rule: { Period: 15 * MINUTE },
	},
	{
		name: "FleetStranger",
		fn: "scale-fleet",
		pattern: '{ $.event = "fleet.stranger" }',
		description:
			"An instance with our tag runs that we did not start; it is stopped (docs/runbooks/instance-left-running.md).",
		rule: { Period: 15 * MINUTE },
	},
	{
		name: "StartsFail",
		fn: "scale-fleet",
		pattern: '{ $.event = "host.startFailed" }',
		description:
			"Burst hosts are started and do not become usable, one after the other (docs/runbooks/burst-not-starting.md).",
		rule: { Threshold: 2, Period: 15 * MINUTE },
	},
	{
		name: "LooksFail",
		fn: "scale-fleet",
		pattern: '{ $.event = "scale-fleet.failed" }',
		description: "The fleet cannot be looked at: nothing is started, drained or stopped. See the log of scale-fleet.",
		rule: { EvaluationPeriods: 5, DatapointsToAlarm: 3 },
	},
	{
		name: "FleetLimited",
		fn: "scale-fleet",
		pattern: '{ $.event = "fleet.decision" && $.limits[0] = "*" }',
		description:
			"For half an hour a limit has held back burst hosts that campaigns could use: `burst-dialer fleet show` says which (docs/runbooks/burst-not-starting.md).",
		rule: { EvaluationPeriods: 30, DatapointsToAlarm: 30 },
	},
	{
		name: "BooksNotKept",
		fn: "scale-fleet",
		pattern:
			'{ $.event = "ledger.notKept" || $.event = "ledger.unpriced" || $.event = "budget.unchecked" || $.event = "budget.unpriced" }',
		description:
			"What is spent cannot be counted, or budgets cannot be tested: the log of scale-fleet says why; a price that is missing is set with `burst-dialer prices set`.",
		rule: { EvaluationPeriods: 5, DatapointsToAlarm: 3 },
	},
	{
		name: "BudgetWarned",
		fn: "scale-fleet",
		pattern: '{ $.event = "budget.warned" }',
		description:
			"A budget is used to four fifths: `burst-dialer campaign show`, `burst-dialer budget show` (docs/cost.md).",
	},
	{
		name: "BudgetReached",
		fn: "scale-fleet",
		pattern: '{ $.event = "budget.reached" }',
		description:
			"A budget is used up: its campaign is paused, or no host is started for it. Raise it and resume, or leave it (docs/cost.md).",
		rule: {},
	},
	{
		name: "AddressesShort",
		fn: "scale-fleet",
		pattern: '{ $.event = "fleet.addressesShort" }',
		description:
			"Burst hosts wait for an Elastic IP and cannot use trunks whose carriers must know the address: enlarge burstAddressPool.",
		rule: { EvaluationPeriods: 10, DatapointsToAlarm: 10 },
	},
];

const alarm = (description, metric, rule) => ({
	Type: "AWS::CloudWatch::Alarm",
	Properties: {
		AlarmDescription: description,
		AlarmActions: [{ Ref: "AlarmsTopic" }],
		OKActions: [{ Ref: "AlarmsTopic" }],
		Statistic: "Sum",
		Period: MINUTE,
		EvaluationPeriods: 1,
		Threshold: 0,
		ComparisonOperator: "GreaterThanThreshold",
		TreatMissingData: "notBreaching",
		...metric,
		...rule,
	},
});

const lambdaMetric = (service, stage, name, MetricName) => ({
	Namespace: "AWS/Lambda",
	MetricName,
	Dimensions: [{ Name: "FunctionName", Value: `${service}-${stage}-${name}` }],
});

const pascal = (name) => name.replace(/(^|-)([a-z])/g, (_, _dash, letter) => letter.toUpperCase());

/** As Serverless names a function's log group. */
const logGroupOf = (fn) => `${fn[0].toUpperCase()}${fn.slice(1).replaceAll("-", "Dash")}LogGroup`;

module.exports = async ({ resolveConfigurationProperty, resolveVariable }) => {
	const service = await resolveConfigurationProperty(["service"]);
	const functions = Object.keys(await resolveConfigurationProperty(["functions"]));
	const stage = await resolveVariable("sls:stage");
	const resources = {
		AlarmsTopic: { Type: "AWS::SNS::Topic", Properties: { TopicName: `${service}-${stage}-alarms` } },
	};
	for (const name of functions) {
		resources[`${pascal(name)}ErrorsAlarm`] = alarm(
			`${name} failed: see its log group.`,
			lambdaMetric(service, stage, name, "Errors"),
			// One failed invocation is repeated by its caller; failures in three of five minutes are not passing.
			{ EvaluationPeriods: 5, DatapointsToAlarm: 3 },
		);
		resources[`${pascal(name)}ThrottlesAlarm`] = alarm(
			`${name} was refused an execution: the account's Lambda concurrency is used up (docs/limits.md).`,
			lambdaMetric(service, stage, name, "Throttles"),
			{ EvaluationPeriods: 5, DatapointsToAlarm: 3 },
		);
	}
	resources.TickMissingAlarm = alarm(
		"The minute's tick does not run: dead hosts are not recovered and campaigns do not complete.",
		lambdaMetric(service, stage, "tick-minute", "Invocations"),
		{
			Threshold: 1,
			ComparisonOperator: "LessThanThreshold",
			EvaluationPeriods: 3,
			TreatMissingData: "breaching",
		},
	);
	for (const queue of QUEUES) {
		resources[`${queue}DeadLettersAlarm`] = alarm(
			`A message of the ${queue.toLowerCase()} queue was given up: read it in the dead-letter queue, mend the cause, redrive.`,
			{
				Namespace: "AWS/SQS",
				MetricName: "ApproximateNumberOfMessagesVisible",
				Dimensions: [{ Name: "QueueName", Value: { "Fn::GetAtt": [`${queue}DeadLetters`, "QueueName"] } }],
			},
			{ Statistic: "Maximum" },
		);
	}
	for (const { name, fn, pattern, description, rule } of EVENTS) {
		const metric = { MetricNamespace: `${service}-${stage}`, MetricName: name };
		resources[`${name}Metric`] = {
			Type: "AWS::Logs::MetricFilter",
			Properties: {
				LogGroupName: { Ref: logGroupOf(fn) },
				FilterPattern: pattern,
				MetricTransformations: [{ ...metric, MetricValue: "1" }],
			},
		};
		resources[`${name}Alarm`] = alarm(
			description,
			{ Namespace: metric.MetricNamespace, MetricName: metric.MetricName },
			rule,
		);
	}
	resources.FleetLateAlarm = alarm(
		"Messages of the fleet's queue wait: burst hosts are started, drained and stopped late.",
		{
			Namespace: "AWS/SQS",
			MetricName: "ApproximateAgeOfOldestMessage",
			Dimensions: [{ Name: "QueueName", Value: { "Fn::GetAtt": ["FleetQueue", "QueueName"] } }],
		},
		{ Statistic: "Maximum", Threshold: 120, EvaluationPeriods: 2 },
	);
	resources.RecoveryLateAlarm = alarm(
		"Messages of the recovery queue wait: what dead hosts held is recovered late.",
		{
			Namespace: "AWS/SQS",
			MetricName: "ApproximateAgeOfOldestMessage",
			Dimensions: [{ Name: "QueueName", Value: { "Fn::GetAtt": ["RecoveryQueue", "QueueName"] } }],
		},
		{ Statistic: "Maximum", Threshold: 120, EvaluationPeriods: 2 },
	);
	resources.ApiErrorsAlarm = alarm(
		"The API answered 5xx.",
		{
			Namespace: "AWS/ApiGateway",
			MetricName: "5xx",
			Dimensions: [{ Name: "ApiId", Value: { Ref: "HttpApi" } }],
		},
		{ EvaluationPeriods: 5, DatapointsToAlarm: 3 },
	);
	return {
		Resources: resources,
		Outputs: {
			AlarmsTopicArn: { Description: "Subscribe to hear of faults", Value: { Ref: "AlarmsTopic" } },
		},
	};
};
