using Broker.Runtime;
using Verify.Clients;
using Verify.History;

namespace Verify.Workloads;

/// <summary>Writes what one member of a group does into the history, and shows it to the world.</summary>
/// <param name="keys">The partitions' numbers in the history, in their order.</param>
internal sealed class MemberVoice(IHost host, NodeId node, GroupRecorder group, int process, IReadOnlyList<TopicPartition> partitions, int[] keys) : IGroupWatcher
{
    private PendingAssignment assignment;
    private PendingCommit commit;
    private string member = "";
    private int generation = -1;

    public void Asks(string member, int generation, IReadOnlyList<TopicPartition> share)
    {
        (this.member, this.generation) = (member, generation);
        assignment = group.InvokeAssigned(process, member, generation, Keys(share));
    }

    public void Learns(IReadOnlyDictionary<TopicPartition, long>? committed)
    {
        if (committed is null)
        {
            assignment.Fail();
            return;
        }
        assignment.Ok(Offsets(committed));
        Tell(MemberMoment.Assigned, default, -1, -1);
    }

    public void Awaits() => group.Awaits(process);

    public void Takes(string member, int generation, IReadOnlyList<TopicPartition> share, IReadOnlyDictionary<TopicPartition, long> committed)
    {
        (this.member, this.generation) = (member, generation);
        group.Takes(process, member, generation, Keys(share), Offsets(committed));
        Tell(MemberMoment.Assigned, default, -1, -1);
    }

    public void GaveUp(string member, int generation, IReadOnlyList<TopicPartition> share)
    {
        group.Revoked(process, member, generation, Keys(share));
        Tell(MemberMoment.GaveUp, default, -1, -1);
    }

    public void Commits(string member, int generation, IReadOnlyDictionary<TopicPartition, long> offsets)
    {
        commit = group.InvokeCommit(process, member, generation, Offsets(offsets));
        Tell(MemberMoment.Commits, offsets);
    }

    public void Hears(CommitOutcome outcome)
    {
        if (outcome.Kind is OutcomeKind.Ok) commit.Ok();
        else if (outcome.Kind is OutcomeKind.Fail) commit.Fail();
        else commit.Info();
        Tell(outcome.Kind is OutcomeKind.Ok ? MemberMoment.Committed : MemberMoment.NotCommitted, outcome.Offsets);
    }

    public void Processed(in PolledRecord record)
    {
        group.Processed(process, member, generation, record);
        Tell(MemberMoment.Processed, partitions[Array.IndexOf(keys, record.Key)], record.Offset, record.Offset + 1);
    }

    public void Moved(int[] moved) => group.Moved(process, member, generation, moved);

    public void Tell(MemberMoment moment, TopicPartition partition, long offset, long end) =>
        host.Observe(new Observation(ObservationKind.MemberStep, node, partition, generation, offset, end, (int)moment));

    private void Tell(MemberMoment moment, IReadOnlyDictionary<TopicPartition, long> offsets)
    {
        foreach (var (partition, offset) in offsets.OrderBy(static one => one.Key.Partition)) Tell(moment, partition, offset, -1);
    }

    private int[] Keys(IReadOnlyList<TopicPartition> share) => [.. share.Select(one => keys[one.Partition])];

    private KeyOffset[] Offsets(IReadOnlyDictionary<TopicPartition, long> offsets) => [.. offsets.Select(one => new KeyOffset(keys[one.Key.Partition], one.Value)).OrderBy(static one => one.Key)];
}
