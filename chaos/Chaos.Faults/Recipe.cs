using Broker.Runtime;

namespace Chaos.Faults;

/// <summary>The time-outs of the cluster that is to be hurt: what must outlast them, or must not, is measured by them.</summary>
/// <param name="Session">broker.session.timeout.ms.</param>
/// <param name="ReplicaLag">replica.lag.time.max.ms.</param>
/// <param name="Length">In which the faults begin and end.</param>
public sealed record RecipePace(TimeSpan Session, TimeSpan ReplicaLag, TimeSpan Length);

/// <summary>
/// A named story of faults that is known to bring out one weakness, again and again for as long as the run lasts: <c>--schedule</c>. The steps are those that make real Kafka lose, double or reorder.
/// </summary>
/// <param name="says">What happens, and to whom it matters.</param>
/// <param name="round">The faults of one round that begins at a time.</param>
public sealed class Recipe(string name, string says, Func<RecipePace, TimeSpan, IEnumerable<Fault>> round)
{
    private const int Followers = 2;

    /// <summary>Where brokers listen: what is cut off there alone still has its voice in the metadata quorum, also where each broker is a voter.</summary>
    private const int BrokerPort = 9092;

    /// <summary>Clients have written by then, and everybody is in sync.</summary>
    private static readonly TimeSpan First = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50), Brief = TimeSpan.FromSeconds(1), Rest = TimeSpan.FromSeconds(4);

    /// <summary>Where controllers are nodes of their own.</summary>
    private static readonly int[] Controllers = [11, 12, 13];

    /// <summary>The first two members of groups.</summary>
    private static readonly int[] Members = [30, 31];

    private static readonly NodeRef Leader = new NodeRef.LeaderOf(new TopicPartition("t", 0));

    public string Name => name;

    public string Says => says;

    /// <summary>The fault words that it needs.</summary>
    public IReadOnlyList<string> Words => [.. Faults(new RecipePace(Brief, Brief, TimeSpan.FromMinutes(1))).Select(static fault => fault.Word).Distinct()];

    /// <summary>It is members of groups that it hurts.</summary>
    public bool HurtsMembers => Faults(new RecipePace(Brief, Brief, Brief)).Any(static fault => fault.Subject is NodeRef.Fixed { Id: var node } && Members.Contains(node.Value));

    public static IReadOnlyList<Recipe> All { get; } =
    [
        new("kill-leader", "the leader dies and comes back after its session: with acks=1 what no follower has is lost",
            static (pace, at) => [new Fault.Crash(At(at), pace.Session * 2, Leader)]),
        new("kill-before-replication", "both followers stand still, the leader goes on for a second and dies: with acks=1 that second is lost",
            static (pace, at) => [.. OfFollowers(follower => new Fault.Pause(At(at), Brief + Moment, follower)), new Fault.Crash(At(at + Brief), pace.Session * 2, Leader)]),
        new("pause-leader", "the leader stands still for longer than its session, then goes on as if it led: with acks=1 and a request.timeout.ms longer than that, what it takes then is lost",
            static (pace, at) => [new Fault.Pause(At(at), pace.Session * 2.5, Leader)]),
        new("kill-all", "all brokers die at once and come back: with acks=0 and 1 what was on its way is lost, with acks=all nothing",
            static (_, at) => [.. Brokers(broker => new Fault.Crash(At(at), Brief * 2, broker))]),
        new("isolate-leader", "the leader is cut off from its followers and the controllers, not from its clients: with acks=0 and 1 all that it takes is lost",
            static (pace, at) => [Cut(at, pace.Session * 2.5, port: null, Controllers)]),
        new("unclean-election", "the followers are cut off until the leader is alone in sync, then it dies: with unclean.leader.election.enable=true what it took alone is lost, also with acks=all and min.insync.replicas=1",
            static (pace, at) => [Cut(at, Alone(pace) + Rest, BrokerPort), new Fault.Crash(LeftAlone(at), pace.Session * 2 + Rest, Leader)]),
        new("last-replica-standing", "the followers are cut off until the leader is alone in sync, then it loses power and is back at once: without eligible leader replicas it leads, and what it had not flushed is lost everywhere",
            static (pace, at) => [Cut(at, Alone(pace) + Moment * 2, BrokerPort), new Fault.Power(LeftAlone(at), Moment, Leader, UnsyncedTail.Lost)]),
        new("kill-member", "the members of a group die in turn, with records in their hands, and come back: what their client had committed ahead of them nobody processes",
            static (_, at) => [.. Members.SelectMany(member => Enumerable.Range(0, 3).Select(kill => new Fault.Crash(Processed(member, 15 + (int)at.TotalSeconds * 10 + kill * 75 + member % 2 * 40), Brief, NodeRef.Of(member))))]),
        new("power-all", "all brokers lose power at once: what was not flushed is lost, with acks=all too",
            static (_, at) => [.. Brokers(broker => new Fault.Power(At(at), Brief * 2, broker, UnsyncedTail.Lost))]),
    ];

    /// <summary>Rounds one after the other; at least one, however short the run.</summary>
    public FaultSchedule Faults(RecipePace pace)
    {
        var period = Alone(pace) + pace.Session * 3 + Rest * 2;
        var faults = new List<Fault>();
        for (var at = First; at == First || at + period <= pace.Length; at += period) faults.AddRange(round(pace, at));
        return new FaultSchedule(faults);
    }

    /// <summary>After so long the leader is alone in the ISR and has written for a while, where nothing is slow.</summary>
    private static TimeSpan Alone(RecipePace pace) => pace.ReplicaLag * 2 + Brief * 2;

    /// <summary>The leader has been alone in the ISR for a while.</summary>
    private static Trigger.After LeftAlone(TimeSpan since) => new(new ObservationPattern(ObservationKind.IsrCommitted, Partition: new TopicPartition("t", 0), Size: 1), 1, Brief * 1.5, since);

    private static Fault.Partition Cut(TimeSpan at, TimeSpan howLong, int? port, params int[] others) =>
        new(At(at), howLong, new NodeGroup([Leader]), new NodeGroup([.. Enumerable.Range(0, Followers).Select(Follower), .. others.Select(NodeRef.Of)]), Port: port);

    private static IEnumerable<Fault> OfFollowers(Func<NodeRef, Fault> fault) => Enumerable.Range(0, Followers).Select(Follower).Select(fault);

    private static IEnumerable<Fault> Brokers(Func<NodeRef, Fault> fault) => Enumerable.Range(1, Followers + 1).Select(static id => NodeRef.Of(id)).Select(fault);

    private static NodeRef Follower(int number) => new NodeRef.FollowerOf(new TopicPartition("t", 0), number);

    private static Trigger.After Processed(int member, int records) => new(new ObservationPattern(ObservationKind.MemberStep, new NodeId(member), Other: (int)MemberMoment.Processed), records, TimeSpan.Zero);

    private static Trigger.At At(TimeSpan time) => new(time);
}
