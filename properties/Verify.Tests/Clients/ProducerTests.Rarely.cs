using Broker.Protocol;
using Broker.Runtime;
using Verify.Clients;

namespace Verify.Tests.Clients;

/// <summary>This part: what runs seldom meet: numbers that are lost for good, epochs that are used up, leaders that move while batches are on their way, topics made anew.</summary>
public sealed partial class ProducerTests
{
    [Fact]
    public void A_number_that_never_came_is_overcome_by_the_next_epoch()
    {
        var outcomes = Run(Idempotent, cluster => cluster.FateOf = static value => value == "b" ? Fate.Refused(ErrorCode.RequestTimedOut) : Fate.Fine, async (cluster, producer) =>
        {
            var first = await Send(producer, P0, "a");
            var second = Send(producer, P0, "b");
            await cluster.Time.DelayAsync(TimeSpan.FromSeconds(1));
            var third = Send(producer, P0, "c");                       // leaves behind b while that is on its way once more
            return [first, await second, await third];
        });
        Assert.Equal([OutcomeKind.Ok, OutcomeKind.Info, OutcomeKind.Ok], outcomes.Select(o => o.Kind));
    }

    [Fact]
    public void What_was_refused_behind_a_lost_number_is_sent_again_in_the_next_epoch()
    {
        var outcomes = Run(Idempotent, static cluster => cluster.FateOf = RefusesBad, async (_, producer) => [await Send(producer, P0, "a"), .. await SendAll(producer, "bad", "b", "c")]);
        Assert.Equal([OutcomeKind.Ok, OutcomeKind.Fail, OutcomeKind.Ok, OutcomeKind.Ok], outcomes.Select(o => o.Kind));
    }

    [Fact]
    public void A_producer_that_uses_up_its_epochs_goes_on_under_another_id()
    {
        List<LogEntry> log = [];
        Run(Idempotent, static cluster => (cluster.FateOf, cluster.FirstProducerEpoch) = (RefusesBad, short.MaxValue - 2), async (cluster, producer) =>
        {
            List<SendOutcome> all = [await Send(producer, P0, "a")];
            foreach (var value in new[] { "b", "c", "d", "e" }) all.AddRange(await SendAll(producer, "bad", value));
            Assert.All(all.Where((_, i) => i % 2 == 0), static outcome => Assert.Equal(OutcomeKind.Ok, outcome.Kind));
            log.AddRange(cluster.Log);
            return all;
        });
        Assert.Equal(["a", "b", "c", "d", "e"], log.Select(e => e.Value));
        Assert.Equal([4000L, 4000L, 4001L, 4001L, 4002L], log.Select(e => e.ProducerId));
    }

    [Fact]
    public void One_in_flight_is_one_also_while_the_leader_moves()
    {
        List<string> log = [];
        Run(Hearing(Retrying) with { MaxInFlight = 1 }, static cluster => cluster.Fates.Enqueue(Fate.Silence), async (cluster, producer) =>
        {
            var first = Send(producer, P0, "a");
            await cluster.Time.DelayAsync(TimeSpan.FromMilliseconds(300));
            cluster.MoveLeader(2);
            var second = Send(producer, P0, "b");
            List<SendOutcome> all = [await first, await second];
            log.AddRange(cluster.Values);
            return all;
        });
        Assert.Equal(["a", "b"], log);
    }

    [Fact]
    public void No_more_than_five_numbered_batches_are_without_an_answer_also_while_the_leader_moves()
    {
        Run(Hearing(Idempotent), static _ => { }, async (cluster, producer) =>
        {
            var first = await Send(producer, P0, "a");
            for (var i = 0; i < 5; i++) cluster.Fates.Enqueue(Fate.AppendedSilence);
            var five = SendAll(producer, "b", "c", "d", "e", "f");
            await cluster.Time.DelayAsync(TimeSpan.FromMilliseconds(100));
            cluster.MoveLeader(2);
            var more = SendAll(producer, "g", "h");
            await cluster.Time.DelayAsync(TimeSpan.FromMilliseconds(500));   // the five have half a second left
            Assert.Equal(6, cluster.Produces.Count());
            return [first, .. await five, .. await more];
        });
    }

    /// <remarks>A broker that lost all that a producer wrote knows nothing of it and takes any sequence: only the client can keep the order.</remarks>
    [Fact]
    public void Retries_follow_each_other_one_by_one()
    {
        List<string> log = [];
        Run(Idempotent, static _ => { }, async (cluster, producer) =>
        {
            var first = await Send(producer, P0, "a");
            foreach (var fate in new[] { Fate.Refused(ErrorCode.NotEnoughReplicas), Fate.Refused(ErrorCode.NotEnoughReplicas), Fate.Silence }) cluster.Fates.Enqueue(fate);
            cluster.TruncateTo(0);
            var all = await SendAll(producer, "b", "c");
            log.AddRange(cluster.Values);
            return [first, .. all];
        });
        Assert.Equal(["b", "c"], log);
    }

    [Fact]
    public void A_topic_made_anew_under_its_name_is_led_from_its_first_epoch_on()
    {
        List<string> log = [];
        var outcomes = Run(Retrying, static cluster => cluster.MoveLeader(2), async (cluster, producer) =>
        {
            var before = await Send(producer, P0, "before");
            cluster.Recreate(leader: 3);
            List<SendOutcome> all = [before, await Send(producer, P0, "after")];
            log.AddRange(cluster.Values);
            return all;
        });
        Assert.Equal([OutcomeKind.Ok, OutcomeKind.Ok], outcomes.Select(o => o.Kind));
        Assert.Equal(["after"], log);
    }

    /// <remarks>metadata.max.age.ms: "even if we haven't seen any partition leadership changes".</remarks>
    [Fact]
    public void Metadata_that_is_old_is_asked_for_again_though_nothing_went_wrong()
    {
        var asked = 0;
        Run(Hearing(Plain), static _ => { }, async (cluster, producer) =>
        {
            List<SendOutcome> all = [];
            for (var i = 0; i < 10; i++)
            {
                all.Add(await Send(producer, P0, $"{i}"));
                await cluster.Time.DelayAsync(TimeSpan.FromSeconds(1));
            }
            asked = cluster.Requests.Count(static one => one.Request is MetadataRequest);
            return all;
        });
        Assert.InRange(asked, 5, 20);
    }

    [Fact]
    public void A_broker_that_speaks_one_version_is_spoken_to_in_that_one() =>
        Assert.Equal(OutcomeKind.Ok, Run(Plain, static cluster => cluster.ProduceVersions = new VersionRange(7, 7), async (_, producer) => [await Send(producer, P0, "a")])[0].Kind);

    private static Fate RefusesBad(string value) => value == "bad" ? Fate.Refused(ErrorCode.InvalidRecord) : Fate.Fine;

    /// <summary>Soon told of a new leader, without an error.</summary>
    private static ProducerSettings Hearing(ProducerSettings settings) => settings with { Connection = settings.Connection with { MetadataMaxAge = TimeSpan.FromMilliseconds(50) } };
}
