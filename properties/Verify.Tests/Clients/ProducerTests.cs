using Broker.Protocol;
using Broker.Runtime;
using Broker.Tests;
using Verify.Clients;

namespace Verify.Tests.Clients;

/// <summary>A producer against scripted brokers: which outcome each fate has, and what order is kept.</summary>
public sealed partial class ProducerTests
{
    private static readonly TopicPartition P0 = new(ScriptedCluster.Topic, 0);
    private static readonly TopicPartition P1 = new(ScriptedCluster.Topic, 1);

    private static readonly ProducerSettings Plain = new(new ConnectionSettings(ScriptedCluster.Bootstrap) { RequestTimeout = TimeSpan.FromSeconds(1) })
    {
        EnableIdempotence = false,
        Retries = 0,
        DeliveryTimeout = TimeSpan.FromSeconds(4),
        BatchBytes = 0,                                                // every record a batch of its own
    };

    private static readonly ProducerSettings Retrying = Plain with { Retries = int.MaxValue };
    private static readonly ProducerSettings Idempotent = Retrying with { EnableIdempotence = true };

    private static List<SendOutcome> Run(ProducerSettings settings, Action<ScriptedCluster> script, Func<ScriptedCluster, WireProducer, Task<List<SendOutcome>>> test, ClientRules? rules = null)
    {
        List<SendOutcome> outcomes = [];
        var loop = new VirtualLoop();
        var cluster = new ScriptedCluster(loop);
        script(cluster);
        loop.Run(async () =>
        {
            var scope = new TaskScope();
            var producer = new WireProducer(new ScriptedHost(loop, cluster), scope, settings, rules ?? UnderTest.Or<ClientRules>());
            var run = test(cluster, producer);
            await await Task.WhenAny(run, scope.Failed);
            outcomes = await run;
            await producer.CloseAsync();
        });
        return outcomes;
    }

    private static SendOutcome RunOne(ProducerSettings settings, params Fate[] fates) =>
        Run(settings, cluster => Array.ForEach(fates, cluster.Fates.Enqueue), async (_, producer) => [await Send(producer, P0, "a")])[0];

    private static Task<SendOutcome> Send(WireProducer producer, TopicPartition partition, string value) => producer.SendAsync(partition, null, ScriptedCluster.Bytes(value));

    private static async Task<List<SendOutcome>> SendAll(WireProducer producer, params string[] values)
    {
        var sends = values.Select(value => Send(producer, P0, value)).ToList();
        return [.. await Task.WhenAll(sends)];
    }

    [Fact]
    public void An_answered_send_is_ok_at_its_offset()
    {
        var outcomes = Run(Plain, _ => { }, (_, producer) => SendAll(producer, "a", "b", "c"));
        Assert.Equal([0L, 1L, 2L], outcomes.Select(o => o.Offset));
        Assert.All(outcomes, o => Assert.Equal((OutcomeKind.Ok, 1), (o.Kind, o.Attempts)));
    }

    [Fact]
    public void Records_of_one_batch_get_offsets_one_behind_the_other()
    {
        List<ProduceRequest> requests = [];
        var outcomes = Run(Plain with { BatchBytes = 16 * 1024 }, _ => { }, async (cluster, producer) =>
        {
            var all = await SendAll(producer, "a", "b", "c");
            requests.AddRange(cluster.Produces);
            return all;
        });
        Assert.Single(requests);
        Assert.Equal([0L, 1L, 2L], outcomes.Select(o => o.Offset));
    }

    [Theory]
    [InlineData(ErrorCode.NotEnoughReplicas)]
    [InlineData(ErrorCode.MessageTooLarge)]
    [InlineData(ErrorCode.RecordListTooLarge)]
    [InlineData(ErrorCode.InvalidRecord)]
    [InlineData(ErrorCode.InvalidTimestamp)]
    [InlineData(ErrorCode.InvalidTopicException)]
    [InlineData(ErrorCode.InvalidRequiredAcks)]
    [InlineData(ErrorCode.TopicAuthorizationFailed)]
    [InlineData(ErrorCode.UnsupportedForMessageFormat)]
    [InlineData(ErrorCode.PolicyViolation)]
    [InlineData(ErrorCode.UnknownProducerId)]
    [InlineData(ErrorCode.InvalidProducerEpoch)]
    [InlineData(ErrorCode.OutOfOrderSequenceNumber)]
    [InlineData(ErrorCode.ProducerFenced)]
    public void Refused_before_the_append_is_fail(ErrorCode error)
    {
        var outcome = RunOne(Plain, Fate.Refused(error));
        Assert.Equal((OutcomeKind.Fail, error, -1L), (outcome.Kind, outcome.Error, outcome.Offset));
    }

    [Theory]
    [InlineData(ErrorCode.RequestTimedOut)]
    [InlineData(ErrorCode.NotEnoughReplicasAfterAppend)]
    [InlineData(ErrorCode.NotLeaderOrFollower)]
    [InlineData(ErrorCode.UnknownTopicOrPartition)]
    [InlineData(ErrorCode.KafkaStorageError)]
    [InlineData(ErrorCode.UnknownServerError)]
    [InlineData(ErrorCode.CorruptMessage)]
    [InlineData(ErrorCode.NetworkException)]
    [InlineData(ErrorCode.LeaderNotAvailable)]
    [InlineData((ErrorCode)999)]
    public void An_error_that_may_come_after_the_append_is_info(ErrorCode error)
    {
        var outcome = RunOne(Plain, Fate.AppendedBut(error));
        Assert.Equal((OutcomeKind.Info, error, -1L), (outcome.Kind, outcome.Error, outcome.Offset));
    }

    [Fact]
    public void No_answer_is_info_whether_it_was_appended_or_not()
    {
        Assert.Equal((OutcomeKind.Info, ErrorCode.RequestTimedOut), KindOf(RunOne(Plain, Fate.AppendedSilence)));
        Assert.Equal((OutcomeKind.Info, ErrorCode.RequestTimedOut), KindOf(RunOne(Plain, Fate.Silence)));
        Assert.Equal((OutcomeKind.Info, ErrorCode.NetworkException), KindOf(RunOne(Plain, Fate.AppendedHangUp)));
        Assert.Equal((OutcomeKind.Info, ErrorCode.NetworkException), KindOf(RunOne(Plain, Fate.HangUp)));
    }

    [Fact]
    public void A_definite_refusal_after_an_uncertain_attempt_is_info()
    {
        var settings = Plain with { Retries = 1 };
        Assert.Equal((OutcomeKind.Info, ErrorCode.NotEnoughReplicas), KindOf(RunOne(settings, Fate.AppendedHangUp, Fate.Refused(ErrorCode.NotEnoughReplicas))));
        Assert.Equal((OutcomeKind.Fail, ErrorCode.NotEnoughReplicas), KindOf(RunOne(settings, Fate.Refused(ErrorCode.NotEnoughReplicas), Fate.Refused(ErrorCode.NotEnoughReplicas))));
    }

    [Fact]
    public void A_retried_send_says_so()
    {
        var outcome = RunOne(Retrying, Fate.Refused(ErrorCode.NotEnoughReplicas));
        Assert.Equal((OutcomeKind.Ok, true, 2), (outcome.Kind, outcome.WasRetried, outcome.Attempts));
    }

    [Fact]
    public void Nothing_that_never_left_is_more_than_fail()
    {
        var nobody = Run(Retrying, cluster => cluster.Down.UnionWith([1, 2, 3]), (_, producer) => SendAll(producer, "a"));
        Assert.Equal((OutcomeKind.Fail, ErrorCode.RequestTimedOut), KindOf(nobody[0]));
        Assert.Equal(0, nobody[0].Attempts);

        var noSuchPartition = Run(Retrying, _ => { }, async (_, producer) => [await Send(producer, new TopicPartition(ScriptedCluster.Topic, 9), "a")]);
        Assert.Equal((OutcomeKind.Fail, ErrorCode.RequestTimedOut), KindOf(noSuchPartition[0]));

        var noVersion = Run(Retrying, cluster => cluster.ProduceVersions = new VersionRange(90, 99), (_, producer) => SendAll(producer, "a"));
        Assert.Equal(OutcomeKind.Fail, noVersion[0].Kind);
        Assert.Equal(ErrorCode.UnsupportedVersion, noVersion[0].Error);
    }

    [Fact]
    public void Without_answers_asked_for_a_send_is_ok_without_offset_once_it_left()
    {
        var settings = Plain with { Acks = 0 };
        Assert.Equal(new SendOutcome(OutcomeKind.Ok, ErrorCode.None, -1, 1), RunOne(settings));
        Assert.Equal(OutcomeKind.Ok, RunOne(settings, Fate.Silence).Kind);
        var nobody = Run(settings, cluster => cluster.Down.UnionWith([1, 2, 3]), (_, producer) => SendAll(producer, "a"));
        Assert.Equal(OutcomeKind.Fail, nobody[0].Kind);
    }

    [Fact]
    public void Too_large_a_record_and_a_full_buffer_fail_at_once()
    {
        Assert.Equal((OutcomeKind.Fail, ErrorCode.MessageTooLarge), KindOf(RunOne(Plain with { MaxRequestBytes = 60 })));
        var outcomes = Run(Plain with { BufferBytes = 80 }, _ => { }, (_, producer) => SendAll(producer, "a", "b", "c"));
        Assert.Equal([OutcomeKind.Ok, OutcomeKind.Ok, OutcomeKind.Fail], outcomes.Select(o => o.Kind));
        Assert.Equal(ErrorCode.ThrottlingQuotaExceeded, outcomes[2].Error);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 3)]
    [InlineData(5, 5)]
    public void Requests_are_pipelined_up_to_the_limit(int maxInFlight, int arrived)
    {
        var seen = 0;
        Run(Plain with { MaxInFlight = maxInFlight }, cluster =>
        {
            for (var i = 0; i < 9; i++) cluster.Fates.Enqueue(Fate.Silence);
        }, async (cluster, producer) =>
        {
            var sends = Enumerable.Range(0, 9).Select(i => Send(producer, P0, $"{i}")).ToList();
            await loopTime(cluster, 900);
            seen = cluster.Produces.Count();
            return [.. await Task.WhenAll(sends)];
        });
        Assert.Equal(arrived, seen);

        static Task loopTime(ScriptedCluster cluster, int ms) => cluster.Time.DelayAsync(TimeSpan.FromMilliseconds(ms));
    }

    [Fact]
    public void Partitions_of_one_leader_share_a_request()
    {
        var partitions = 0;
        Run(Plain, _ => { }, async (cluster, producer) =>
        {
            var outcomes = await Task.WhenAll(Send(producer, P0, "a"), Send(producer, P1, "b"));
            partitions = cluster.Produces.Single().TopicData.Single().PartitionData.Count;
            return [.. outcomes];
        });
        Assert.Equal(2, partitions);
    }

    [Fact]
    public void Lingering_records_travel_together()
    {
        var requests = 0;
        Run(Plain with { BatchBytes = 16 * 1024, Linger = TimeSpan.FromMilliseconds(50) }, _ => { }, async (cluster, producer) =>
        {
            var first = Send(producer, P0, "a");
            await cluster.Time.DelayAsync(TimeSpan.FromMilliseconds(30));
            var second = Send(producer, P0, "b");
            List<SendOutcome> outcomes = [await first, await second];
            requests = cluster.Produces.Count();
            return outcomes;
        });
        Assert.Equal(1, requests);
    }

    [Fact]
    public void Without_idempotence_a_lost_answer_duplicates()
    {
        List<string> log = [];
        var outcomes = Run(Retrying, cluster => cluster.Fates.Enqueue(Fate.AppendedSilence), async (cluster, producer) =>
        {
            var all = await SendAll(producer, "a");
            log.AddRange(cluster.Values);
            return all;
        });
        Assert.Equal(["a", "a"], log);
        Assert.Equal((OutcomeKind.Ok, 1L, true), (outcomes[0].Kind, outcomes[0].Offset, outcomes[0].WasRetried));
    }

    [Fact]
    public void Without_idempotence_a_retry_is_overtaken_by_what_was_in_flight()
    {
        Assert.Equal(["b", "c", "a"], LogAfter(Retrying, [Fate.Refused(ErrorCode.NotEnoughReplicas)], "a", "b", "c"));
    }

    [Fact]
    public void One_request_in_flight_keeps_the_order_across_retries()
    {
        Fate[] fates = [Fate.Refused(ErrorCode.NotEnoughReplicas), Fate.HangUp, Fate.Fine, Fate.Refused(ErrorCode.NotEnoughReplicas)];
        Assert.Equal(["a", "b", "c"], LogAfter(Retrying with { MaxInFlight = 1 }, fates, "a", "b", "c"));
    }

    [Fact]
    public void Planted_pipelined_retry_reorders_is_seen()
    {
        Fate[] fates = [Fate.Refused(ErrorCode.NotEnoughReplicas)];
        Assert.Equal(["b", "c", "a"], LogAfter(Retrying with { MaxInFlight = 1 }, fates, new PassesRetries(), "a", "b", "c"));
    }

    private sealed class PassesRetries : ClientRules
    {
        public override bool MayPassRetry() => true;
    }

    [Theory]
    [InlineData(nameof(Fate.Silence))]
    [InlineData(nameof(Fate.AppendedSilence))]
    [InlineData(nameof(Fate.HangUp))]
    [InlineData(nameof(Fate.AppendedHangUp))]
    [InlineData("refused")]
    [InlineData("storage")]
    public void Idempotence_keeps_order_and_single_copies_across_retries(string fate)
    {
        Fate first = fate switch
        {
            nameof(Fate.Silence) => Fate.Silence,
            nameof(Fate.AppendedSilence) => Fate.AppendedSilence,
            nameof(Fate.HangUp) => Fate.HangUp,
            nameof(Fate.AppendedHangUp) => Fate.AppendedHangUp,
            "refused" => Fate.Refused(ErrorCode.NotEnoughReplicas),
            _ => Fate.AppendedBut(ErrorCode.KafkaStorageError),
        };
        Assert.Equal(["a", "b", "c", "d", "e", "f", "g"], LogAfter(Idempotent, [first], "a", "b", "c", "d", "e", "f", "g"));
        Assert.Equal(["a", "b", "c", "d", "e", "f", "g"], LogAfter(Idempotent, [Fate.Fine, Fate.Fine, first, Fate.Fine, first], "a", "b", "c", "d", "e", "f", "g"));
    }

    [Fact]
    public void Planted_pipelining_behind_a_first_batch_lets_a_broker_take_it_out_of_order()
    {
        List<string> log = [];
        Run(Idempotent, cluster => cluster.Fates.Enqueue(Fate.Refused(ErrorCode.NotEnoughReplicas)), async (cluster, producer) =>
        {
            var all = await SendAll(producer, "a", "b");
            log.AddRange(cluster.Values);
            return all;
        }, new FollowsFirst());
        Assert.Equal(["b", "a"], log);
    }

    private sealed class FollowsFirst : ClientRules
    {
        public override bool MayFollowFirst(bool isProducerKnown) => true;
    }

    [Fact]
    public void Idempotent_producers_survive_a_move_of_the_leader()
    {
        List<string> log = [];
        var outcomes = Run(Idempotent, _ => { }, async (cluster, producer) =>
        {
            var before = await SendAll(producer, "a", "b");
            cluster.MoveLeader(2);
            var after = await SendAll(producer, "c", "d", "e");
            log.AddRange(cluster.Values);
            return [.. before, .. after];
        });
        Assert.Equal(["a", "b", "c", "d", "e"], log);
        Assert.Equal([0L, 1L, 2L, 3L, 4L], outcomes.Select(o => o.Offset));
    }

    [Fact]
    public void A_lost_number_leads_to_the_next_producer_epoch()
    {
        List<LogEntry> log = [];
        var outcomes = Run(Idempotent, cluster =>
        {
            cluster.Fates.Enqueue(Fate.Refused(ErrorCode.InvalidRecord));
        }, async (cluster, producer) =>
        {
            var all = await SendAll(producer, "bad", "b", "c");
            log.AddRange(cluster.Log);
            return all;
        });
        Assert.Equal([OutcomeKind.Fail, OutcomeKind.Ok, OutcomeKind.Ok], outcomes.Select(o => o.Kind));
        Assert.Equal(["b", "c"], log.Select(e => e.Value));
    }

    [Fact]
    public void A_refused_number_that_no_later_batch_follows_is_used_again()
    {
        List<LogEntry> log = [];
        Run(Idempotent, cluster =>
        {
            cluster.Fates.Enqueue(Fate.Fine);
            cluster.Fates.Enqueue(Fate.Refused(ErrorCode.InvalidRecord));
        }, async (cluster, producer) =>
        {
            List<SendOutcome> outcomes = [await Send(producer, P0, "a"), await Send(producer, P0, "bad"), await Send(producer, P0, "b")];
            log.AddRange(cluster.Log);
            return outcomes;
        });
        Assert.Equal([("a", 0, (short)0), ("b", 1, (short)0)], log.Select(e => (e.Value, e.Sequence, e.ProducerEpoch)));
    }

    [Fact]
    public void After_an_unknown_outcome_the_number_is_not_used_again()
    {
        var (outcomes, log) = TimedOutThenAnother(UnderTest.Or<ClientRules>());
        Assert.Equal([OutcomeKind.Info, OutcomeKind.Ok], outcomes.Select(o => o.Kind));
        Assert.Equal(["a", "b"], log);
        Assert.Equal(1, outcomes[1].Offset);
    }

    [Fact]
    public void Planted_reuse_of_a_number_after_an_unknown_outcome_loses_the_next_record()
    {
        var (outcomes, log) = TimedOutThenAnother(new ReusesSequences());
        Assert.Equal((OutcomeKind.Ok, 0L), (outcomes[1].Kind, outcomes[1].Offset));
        Assert.Equal(["a"], log);
    }

    private sealed class ReusesSequences : ClientRules
    {
        public override bool MayReuseSequence(bool mayHaveBeenAppended) => true;
    }

    private static (List<SendOutcome> Outcomes, List<string> Log) TimedOutThenAnother(ClientRules rules)
    {
        List<string> log = [];
        var outcomes = Run(Idempotent with { DeliveryTimeout = TimeSpan.FromMilliseconds(1500) }, cluster =>
        {
            cluster.Fates.Enqueue(Fate.AppendedSilence);
            cluster.Fates.Enqueue(Fate.Silence);
        }, async (cluster, producer) =>
        {
            var first = await Send(producer, P0, "a");
            var second = await Send(producer, P0, "b");
            log.AddRange(cluster.Values);
            return [first, second];
        }, rules);
        return (outcomes, log);
    }

    [Fact]
    public void A_batch_that_may_lie_under_its_old_number_ends_as_info_when_the_epoch_changes()
    {
        List<string> log = [];
        var settings = Idempotent with { DeliveryTimeout = TimeSpan.FromMilliseconds(2500) };
        var outcomes = Run(settings, cluster =>
        {
            cluster.Fates.Enqueue(Fate.Fine);
            for (var i = 0; i < 4; i++) cluster.Fates.Enqueue(Fate.Silence);           // b twice, c behind it, b once more
        }, async (cluster, producer) =>
        {
            var first = await Send(producer, P0, "a");
            var second = Send(producer, P0, "b");
            await cluster.Time.DelayAsync(TimeSpan.FromMilliseconds(1900));
            var third = Send(producer, P0, "c");
            List<SendOutcome> all = [first, await second, await third, await Send(producer, P0, "d")];
            log.AddRange(cluster.Values);
            return all;
        });
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, outcomes[2].Error);
        Assert.Equal([OutcomeKind.Ok, OutcomeKind.Info, OutcomeKind.Info, OutcomeKind.Ok], outcomes.Select(o => o.Kind));
        Assert.Equal(["a", "d"], log);
    }

    [Fact]
    public void The_producer_id_is_asked_for_until_it_is_there()
    {
        var outcomes = Run(Idempotent, cluster => cluster.InitProducerIdFailures = 3, (_, producer) => SendAll(producer, "a"));
        Assert.Equal(OutcomeKind.Ok, outcomes[0].Kind);
    }

    [Fact]
    public void Settings_that_Kafka_refuses_are_refused()
    {
        Assert.Throws<ArgumentException>(() => (Idempotent with { Acks = 1 }).Validate());
        Assert.Throws<ArgumentException>(() => (Idempotent with { Retries = 0 }).Validate());
        Assert.Throws<ArgumentException>(() => (Idempotent with { MaxInFlight = 6 }).Validate());
        Assert.Throws<ArgumentException>(() => (Plain with { Acks = 2 }).Validate());
        Assert.Throws<ArgumentException>(() => (Plain with { DeliveryTimeout = TimeSpan.FromMilliseconds(999) }).Validate());
        Plain.Validate();
    }

    private static (OutcomeKind, ErrorCode) KindOf(SendOutcome outcome) => (outcome.Kind, outcome.Error);

    private static List<string> LogAfter(ProducerSettings settings, Fate[] fates, params string[] values) => LogAfter(settings, fates, UnderTest.Or<ClientRules>(), values);

    private static List<string> LogAfter(ProducerSettings settings, Fate[] fates, ClientRules rules, params string[] values)
    {
        List<string> log = [];
        var outcomes = Run(settings with { DeliveryTimeout = TimeSpan.FromMinutes(1) }, cluster => Array.ForEach(fates, cluster.Fates.Enqueue), async (cluster, producer) =>
        {
            var all = await SendAll(producer, values);
            log.AddRange(cluster.Values);
            return all;
        }, rules);
        Assert.All(outcomes, o => Assert.Equal(OutcomeKind.Ok, o.Kind));
        return log;
    }
}
