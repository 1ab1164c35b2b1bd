using Broker.Protocol;
using Broker.Runtime;
using Broker.Tests;
using Verify.Clients;

namespace Verify.Tests.Clients;

/// <summary>A consumer against scripted brokers: what it returns, and what it says when its position moves.</summary>
public sealed class ConsumerTests
{
    private static readonly TopicPartition P0 = new(ScriptedCluster.Topic, 0);
    private static readonly TopicPartition P1 = new(ScriptedCluster.Topic, 1);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static readonly ConsumerSettings FromStart = new(new ConnectionSettings(ScriptedCluster.Bootstrap) { RequestTimeout = Second })
    {
        OffsetReset = OffsetReset.Earliest,
        FetchMaxWait = TimeSpan.FromMilliseconds(100),
    };

    private static void Run(ConsumerSettings settings, Func<ScriptedCluster, WireConsumer, Task> test, ClientRules? rules = null)
    {
        var loop = new VirtualLoop();
        loop.Run(async () =>
        {
            var cluster = new ScriptedCluster(loop);
            var scope = new TaskScope();
            var consumer = new WireConsumer(new ScriptedHost(loop, cluster), scope, settings, rules ?? UnderTest.Or<ClientRules>());
            var run = test(cluster, consumer);
            await await Task.WhenAny(run, scope.Failed);
            consumer.Close();
        });
    }

    /// <summary>Polls until so many records came, or ten polls were made.</summary>
    private static async Task<(List<ConsumedRecord> Records, List<PollIncident> Incidents)> PollAsync(WireConsumer consumer, int records)
    {
        List<ConsumedRecord> seen = [];
        List<PollIncident> incidents = [];
        for (var i = 0; i < 10 && seen.Count < records; i++)
        {
            var result = await consumer.PollAsync(Second);
            foreach (var batch in result.Batches) seen.AddRange(batch.Records);
            incidents.AddRange(result.Incidents);
        }
        return (seen, incidents);
    }

    private static IEnumerable<string> ValuesOf(IEnumerable<ConsumedRecord> records) => records.Select(r => ScriptedCluster.Text(r.Value));

    [Fact]
    public void Records_come_in_order_with_their_offsets() => Run(FromStart, async (cluster, consumer) =>
    {
        foreach (var value in new[] { "a", "b", "c" }) cluster.Append(value);
        consumer.Assign([P0]);
        var (records, incidents) = await PollAsync(consumer, 3);
        Assert.Equal(["a", "b", "c"], ValuesOf(records));
        Assert.Equal([0L, 1L, 2L], records.Select(r => r.Offset));
        Assert.Equal(3, consumer.Position(P0));
        Assert.Equal([new PollIncident(PollIncidentKind.PositionFound, P0, ErrorCode.None, -1, 0)], incidents);
    });

    [Fact]
    public void A_poll_without_data_names_the_partitions_that_answered_empty() => Run(FromStart, async (cluster, consumer) =>
    {
        consumer.Assign([P0, P1]);
        await consumer.PollAsync(Second);
        await consumer.PollAsync(Second);
        var result = await consumer.PollAsync(Second);
        Assert.Empty(result.Batches);
        Assert.Equal([P0, P1], result.Empty);

        foreach (var broker in new[] { 1, 2, 3 }) cluster.Kill(broker);
        Assert.Empty((await consumer.PollAsync(Second)).Empty);
    });

    [Fact]
    public void One_poll_returns_no_more_records_than_asked_for() => Run(FromStart with { MaxPollRecords = 2 }, async (cluster, consumer) =>
    {
        foreach (var value in new[] { "a", "b", "c" }) cluster.Append(value);
        consumer.Assign([P0]);
        await consumer.PollAsync(Second);                              // the position
        Assert.Equal(["a", "b"], ValuesOf((await consumer.PollAsync(Second)).Batches[0].Records));
        Assert.Equal(2, consumer.Position(P0));
        Assert.Equal(["c"], ValuesOf((await consumer.PollAsync(Second)).Batches[0].Records));
    });

    [Fact]
    public void A_seek_makes_fetched_records_and_answers_on_their_way_worthless() => Run(FromStart with { MaxPollRecords = 1 }, async (cluster, consumer) =>
    {
        foreach (var value in new[] { "a", "b", "c" }) cluster.Append(value);
        consumer.Assign([P0]);
        await PollAsync(consumer, 1);
        consumer.Seek(P0, 2);
        var (records, _) = await PollAsync(consumer, 1);
        Assert.Equal(["c"], ValuesOf(records));
        consumer.SeekToBeginning(P0);
        (records, _) = await PollAsync(consumer, 1);
        Assert.Equal(["a"], ValuesOf(records));
        consumer.SeekToEnd(P0);
        await consumer.PollAsync(Second);
        Assert.Equal(3, consumer.Position(P0));
    });

    [Theory]
    [InlineData(OffsetReset.Earliest, 1)]
    [InlineData(OffsetReset.Latest, 3)]
    [InlineData(OffsetReset.None, -1)]
    public void A_position_outside_of_the_log_is_reported_with_where_the_policy_puts_it(OffsetReset policy, long expected) => Run(FromStart with { OffsetReset = policy }, async (cluster, consumer) =>
    {
        foreach (var value in new[] { "a", "b", "c" }) cluster.Append(value);
        cluster.LogStartOffset = 1;
        consumer.Assign([P0]);
        consumer.Seek(P0, 17);
        var result = await consumer.PollAsync(Second);
        Assert.Equal([new PollIncident(PollIncidentKind.OffsetOutOfRange, P0, ErrorCode.OffsetOutOfRange, 17, expected)], result.Incidents);
        Assert.Equal(expected < 0 ? null : expected, consumer.Position(P0));
        if (expected >= 0) return;
        Assert.Empty((await consumer.PollAsync(Second)).Batches);
        consumer.Seek(P0, 2);
        Assert.Equal(["c"], ValuesOf((await PollAsync(consumer, 1)).Records));
    });

    [Fact]
    public void A_moved_leader_is_found_again() => Run(FromStart, async (cluster, consumer) =>
    {
        cluster.Append("a");
        consumer.Assign([P0]);
        await PollAsync(consumer, 1);
        cluster.MoveLeader(2);
        cluster.Append("b");
        var (records, incidents) = await PollAsync(consumer, 1);
        Assert.Equal([("b", 1)], records.Select(r => (ScriptedCluster.Text(r.Value), r.LeaderEpoch)));
        Assert.Empty(incidents);
        Assert.Contains(cluster.Requests, r => r.Request is OffsetForLeaderEpochRequest && r.Broker == 2);
    });

    [Fact]
    public void A_dead_leader_is_left_for_the_next_one() => Run(FromStart, async (cluster, consumer) =>
    {
        cluster.Append("a");
        consumer.Assign([P0]);
        await PollAsync(consumer, 1);
        cluster.Kill(1);
        cluster.MoveLeader(3);
        cluster.Append("b");
        Assert.Equal(["b"], ValuesOf((await PollAsync(consumer, 1)).Records));
    });

    private static async Task<(List<ConsumedRecord> Records, List<PollIncident> Incidents)> TruncateAndRegrow(ScriptedCluster cluster, WireConsumer consumer)
    {
        foreach (var value in new[] { "a", "b", "c" }) cluster.Append(value);
        consumer.Assign([P0]);
        await PollAsync(consumer, 3);
        cluster.TruncateTo(1);
        cluster.MoveLeader(2);
        foreach (var value in new[] { "x", "y", "z" }) cluster.Append(value);
        return await PollAsync(consumer, 1);
    }

    [Fact]
    public void Truncation_below_the_position_is_detected_after_a_leader_change() => Run(FromStart, async (cluster, consumer) =>
    {
        var (records, incidents) = await TruncateAndRegrow(cluster, consumer);
        Assert.Equal([new PollIncident(PollIncidentKind.TruncationDetected, P0, ErrorCode.None, 3, 1)], incidents);
        Assert.Equal(["x", "y", "z"], ValuesOf(records));
    });

    [Fact]
    public void A_position_of_a_later_epoch_is_not_held_against_the_log_of_an_older_leader() => Run(FromStart, async (cluster, consumer) =>
    {
        foreach (var value in new[] { "a", "b", "c" }) cluster.Append(value);
        consumer.Assign([P0]);
        consumer.Resume(P0, 2, cluster.LeaderEpoch + 1);               // committed under a leader of whom this reader has not heard
        var (early, incidents) = await PollAsync(consumer, 1);
        Assert.Empty(early);
        Assert.Empty(incidents);
        cluster.TruncateTo(2);
        cluster.MoveLeader(2);
        cluster.Append("x");
        var (records, moved) = await PollAsync(consumer, 1);
        Assert.Equal(["x"], ValuesOf(records));
        Assert.Empty(moved);
    });

    /// <remarks>The leader has more of the epoch before than this reader saw of it: they part where the reader's later epoch began.</remarks>
    [Fact]
    public void Where_the_logs_part_is_where_the_readers_last_epoch_began() => Run(FromStart, async (cluster, consumer) =>
    {
        foreach (var value in new[] { "a", "b" }) cluster.Append(value);
        cluster.MoveLeader(2);
        foreach (var value in new[] { "c", "d" }) cluster.Append(value);
        consumer.Assign([P0]);
        consumer.Seek(P0, 0);
        await PollAsync(consumer, 4);
        cluster.TruncateTo(2);
        for (var offset = 2; offset < 6; offset++) cluster.Log.Add(new LogEntry(offset, 0, "x", -1, -1, -1));
        cluster.MoveLeader(3);
        var (_, incidents) = await PollAsync(consumer, 1);
        Assert.Equal([new PollIncident(PollIncidentKind.TruncationDetected, P0, ErrorCode.None, 4, 2)], incidents);
    });

    [Fact]
    public void An_answer_that_comes_after_the_new_leaders_brings_nothing_twice() => Run(FromStart with { Connection = FromStart.Connection with { MetadataMaxAge = TimeSpan.FromMilliseconds(50) } }, async (cluster, consumer) =>
    {
        foreach (var value in new[] { "a", "b" }) cluster.Append(value);
        cluster.Slow[1] = TimeSpan.FromMilliseconds(900);
        consumer.Assign([P0]);
        consumer.Seek(P0, 0);
        List<string> read = [];
        for (var polls = 0; polls < 30; polls++)
        {
            if (polls == 1) cluster.Down.Add(1);                       // no longer listed; its answer is on its way
            if (polls == 5) cluster.MoveLeader(2);
            read.AddRange((await consumer.PollAsync(TimeSpan.FromMilliseconds(50))).Batches.SelectMany(static batch => ValuesOf(batch.Records)));
        }
        Assert.Equal(["a", "b"], read);
    });

    [Fact]
    public void Detected_truncation_without_a_reset_policy_waits_for_a_seek() => Run(FromStart with { OffsetReset = OffsetReset.None }, async (cluster, consumer) =>
    {
        cluster.Append("a");
        consumer.Assign([P0]);
        consumer.Seek(P0, 0);
        await PollAsync(consumer, 1);
        cluster.TruncateTo(0);
        cluster.MoveLeader(2);
        cluster.Append("x");
        var (records, incidents) = await PollAsync(consumer, 1);
        Assert.Empty(records);
        Assert.Equal([new PollIncident(PollIncidentKind.TruncationDetected, P0, ErrorCode.None, 1, -1)], incidents);
        Assert.Null(consumer.Position(P0));
    });

    [Fact]
    public void Planted_truncation_undetected_by_consumer_skips_in_silence() => Run(FromStart, async (cluster, consumer) =>
    {
        var (records, incidents) = await TruncateAndRegrow(cluster, consumer);
        Assert.Empty(incidents);
        Assert.Equal(["z"], ValuesOf(records));
    }, new NeverValidates());

    private sealed class NeverValidates : ClientRules
    {
        public override bool MustValidate(int positionEpoch, int validatedUnderEpoch, int leaderEpoch) => false;
    }

    [Fact]
    public void Offsets_are_listed_by_the_leader() => Run(FromStart, async (cluster, consumer) =>
    {
        foreach (var value in new[] { "a", "b", "c" }) cluster.Append(value);
        cluster.LogStartOffset = 1;
        Assert.Equal(3, (await consumer.ListOffsetAsync(P0, OffsetAt.Latest, Second)).Value.Offset);
        Assert.Equal(1, (await consumer.ListOffsetAsync(P0, OffsetAt.Earliest, Second)).Value.Offset);
        foreach (var broker in new[] { 1, 2, 3 }) cluster.Kill(broker);
        Assert.False((await consumer.ListOffsetAsync(P0, OffsetAt.Latest, Second)).IsKnown);
    });

    [Fact]
    public void Aborted_records_and_markers_are_hidden_from_read_committed_only()
    {
        byte[] aborted = Transactional(0, 7, "bad"), other = Transactional(1, 8, "good"), abort = Marker(2, 7), commit = Marker(3, 8), again = Transactional(4, 7, "new"), end = Marker(5, 7);
        var data = new FetchResponse.PartitionData
        {
            Records = new[] { aborted, other, abort, commit, again, end }.SelectMany(b => b).ToArray(),
            AbortedTransactions = [new AbortedTransaction { ProducerId = 7, FirstOffset = 0 }],
        };
        Assert.Equal("good new end 6", Read(data, readCommitted: true));
        Assert.Equal("bad good new end 6", Read(data, readCommitted: false));
    }

    [Fact]
    public void What_a_producer_committed_before_its_aborted_transaction_is_seen()
    {
        var data = new FetchResponse.PartitionData
        {
            Records = new[] { Transactional(0, 7, "good"), Marker(1, 7), Transactional(2, 7, "bad"), Marker(3, 7) }.SelectMany(b => b).ToArray(),
            AbortedTransactions = [new AbortedTransaction { ProducerId = 7, FirstOffset = 2 }],
        };
        Assert.Equal("good end 4", Read(data, readCommitted: true));
    }

    [Fact]
    public void Bytes_that_fail_their_checksum_are_reported_and_never_returned()
    {
        var batch = new RecordBatchBuilder().Append(0, null, ScriptedCluster.Bytes("a")).ToArray();
        batch[^3] ^= 1;
        Assert.False(FetchedRecords.TryRead(new FetchResponse.PartitionData { Records = batch }, 0, false, UnderTest.Or<ClientRules>(), [], out var end));
        Assert.Equal(0, end);
    }

    private static string Read(FetchResponse.PartitionData data, bool readCommitted)
    {
        List<ConsumedRecord> records = [];
        Assert.True(FetchedRecords.TryRead(data, 0, readCommitted, UnderTest.Or<ClientRules>(), records, out var end));
        return $"{string.Join(' ', ValuesOf(records))} end {end}";
    }

    private static byte[] Transactional(long offset, long producerId, string value) =>
        new RecordBatchBuilder { BaseOffset = offset, ProducerId = producerId, IsTransactional = true }.Append(0, null, ScriptedCluster.Bytes(value)).ToArray();

    private static byte[] Marker(long offset, long producerId) =>
        new RecordBatchBuilder { BaseOffset = offset, ProducerId = producerId, IsTransactional = true, IsControl = true }.Append(0, new byte[4], new byte[6]).ToArray();
}
