using Broker.Core;
using Broker.Embedded;
using Broker.Runtime;
using Verify.Checkers;
using Verify.Clients;
using Verify.Workloads;
using Verify.Zoo.Mutants;
using Xunit.Abstractions;

namespace Verify.Tests.Clients;

/// <summary>The workload <c>log</c> over real sockets and files, on three nodes of the reference broker: everything is answered, stored and read as its plan determines.</summary>
public sealed class LiveLogTests
{
    [Theory]
    [MemberData(nameof(LiveLogs.Producers), MemberType = typeof(LiveLogs))]
    public async Task On_the_reference_broker_all_guarantees_hold(string name, bool keyed, short acks, bool idempotent)
    {
        await using var cluster = await LiveLogs.ReferenceAsync();
        LiveLogs.AssertFaultless(await LiveLogs.OnReferenceAsync(cluster, name, keyed, acks, idempotent), keyed, acks);
    }

    [Fact]
    public async Task A_planted_loss_is_seen_over_sockets_too()
    {
        await using var cluster = await LiveLogs.ReferenceAsync(static () => DropEveryFiftieth.Planted.Broker(new BrokerRules()));
        var run = await LiveLogs.OnReferenceAsync(cluster, "planted", keyed: true, acks: -1, idempotent: false);
        Assert.Contains(run.Findings, finding => finding is { Guarantee: Guarantee.NoLostWrites, Verdict: Verdict.Violated });
        Assert.NotEqual(LiveLogRun.Determined(LiveLogRun.Plan(keyed: true), acks: -1).Reads, run.Reads);
    }
}

/// <summary>The same plan on unmodified Apache Kafka and on the reference broker, operation by operation.</summary>
public sealed class RealKafkaLogTests(RealKafka kafka, ITestOutputHelper output) : IClassFixture<RealKafka>
{
    [SkippableTheory]
    [MemberData(nameof(LiveLogs.Producers), MemberType = typeof(LiveLogs))]
    public Task Kafka_and_the_reference_broker_answer_every_operation_alike(string name, bool keyed, short acks, bool idempotent) => kafka.RunAsync(output, async endpoint =>
    {
        var ofKafka = await LiveLogRun.PlayAsync(LiveLogRun.Plan(keyed), name, replicas: 1, LiveLogs.Settings([endpoint], acks, idempotent));
        LiveLogs.AssertFaultless(ofKafka, keyed, acks);

        await using var cluster = await LiveLogs.ReferenceAsync();
        var ofReference = await LiveLogs.OnReferenceAsync(cluster, name, keyed, acks, idempotent);
        Assert.Equal(ofKafka.Answers, ofReference.Answers);
        Assert.Equal(ofKafka.Reads, ofReference.Reads);
        output.WriteLine($"{ofKafka.Answers.Count} sends answered alike, {string.Join(", ", ofKafka.Findings.Select(finding => $"{finding.Guarantee} of {finding.Of}"))}");
    });
}

/// <summary>What the live tests of the workload share.</summary>
internal static class LiveLogs
{
    public const int Brokers = 3;

    /// <summary>A name for the topic, keyed or not, acks, idempotent or not.</summary>
    public static TheoryData<string, bool, short, bool> Producers => new()
    {
        { "keyed", true, -1, true },
        { "unkeyed", false, -1, true },
        { "acks-1", true, 1, false },
        { "acks-0", false, 0, false },
    };

    /// <summary>No session ends on a busy machine: what is compared is a run without changes of leaders.</summary>
    private static readonly Dictionary<string, string> Calm = new() { ["broker.session.timeout.ms"] = "30000", ["controller.quorum.fetch.timeout.ms"] = "30000", ["replica.lag.time.max.ms"] = "30000", ["replica.socket.timeout.ms"] = "30000" };

    public static Task<EmbeddedCluster> ReferenceAsync(Func<BrokerRules>? rules = null) => EmbeddedCluster.StartAsync(Brokers, new EmbeddedClusterOptions { Rules = rules, OnDisk = true, Settings = Calm });

    public static Task<LiveLogRun> OnReferenceAsync(EmbeddedCluster cluster, string name, bool keyed, short acks, bool idempotent) =>
        cluster.WhileUpAsync(LiveLogRun.PlayAsync(LiveLogRun.Plan(keyed), name, Brokers, Settings(cluster.Bootstrap, acks, idempotent)));

    public static ProducerSettings Settings(IReadOnlyList<Endpoint> bootstrap, short acks, bool idempotent) =>
        new(new ConnectionSettings(bootstrap)) { Acks = acks, EnableIdempotence = idempotent };

    public static void AssertFaultless(LiveLogRun run, bool keyed, short acks)
    {
        var (answers, reads) = LiveLogRun.Determined(LiveLogRun.Plan(keyed), acks);
        Assert.Equal(answers, run.Answers);
        Assert.Equal(reads, run.Reads);
        Assert.All(run.Findings, finding => Assert.True(finding is { Verdict: Verdict.Held, Anomalies: [], Of: > 0 }, $"{finding.Guarantee}: {finding.Verdict} {finding.Why}, {finding.Anomalies.Count} anomalies, of {finding.Of}"));
    }
}
