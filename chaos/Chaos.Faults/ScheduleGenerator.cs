using Broker.Runtime;

namespace Chaos.Faults;

/// <summary>
/// Draws fault schedules as data. Source of the swarm: Groce et al., Swarm Testing (ISSTA 2012): leaving most features out of most runs finds more.
/// </summary>
public static class ScheduleGenerator
{
    private const int RedrawEvery = 12;
    private const double FocusWeight = 5;

    /// <summary>Every word and every node as likely as the others.</summary>
    public static FaultSchedule Uniform(Prng prng, ScheduleScope scope)
    {
        var drawing = new Drawing(prng, scope, Weights.Even);
        for (var count = prng.Between(scope.FewestFaults, scope.MostFaults); count > 0;) count -= drawing.AddFaults();
        drawing.AddTraps();
        drawing.AddUpset();
        return drawing.Done();
    }

    /// <summary>Weights per word and per node, many of them zero, redrawn every dozen faults; also how much is aimed at events, how long faults last and how many there are.</summary>
    public static FaultSchedule Swarm(Prng prng, ScheduleScope scope)
    {
        var style = scope with
        {
            EventShare = prng.Pick([0.2, scope.EventShare, 0.95]),
            ChainChance = prng.Pick([0.0, scope.ChainChance, 0.7]),
            BurstChance = prng.Pick([0.0, scope.BurstChance, 0.3]),
            Longest = prng.Chance(0.5) ? scope.Longest : TimeSpan.FromTicks(Math.Max(scope.Shortest.Ticks, scope.Longest.Ticks / 8)),
        };
        var drawing = new Drawing(prng, style, Weights.Draw(prng, scope));
        var count = prng.Between(scope.FewestFaults, scope.MostFaults);
        for (int i = 0, redrawAt = RedrawEvery; i < count;)
        {
            if (i >= redrawAt) (drawing.Weights, redrawAt) = (Weights.Draw(prng, scope), redrawAt + RedrawEvery);
            i += drawing.AddFaults();
        }

        drawing.AddTraps();
        drawing.AddUpset();
        return drawing.Done();
    }

    private static Trigger Later(Trigger first, TimeSpan by) => first switch
    {
        Trigger.At(var time) => new Trigger.At(time + by),
        Trigger.After after => after with { Delay = after.Delay + by },
        _ => throw new InvalidOperationException($"unknown trigger {first.GetType().Name}"),
    };

    /// <summary>How likely each word and each node is, relative to the others.</summary>
    internal sealed record Weights(IReadOnlyList<double>? Words, IReadOnlyList<double>? Nodes)
    {
        public static Weights Even { get; } = new(null, null);

        public static Weights Draw(Prng prng, ScheduleScope scope)
        {
            var words = scope.Words.Select(_ => One(prng)).ToArray();
            if (words.Length > 0 && words.All(static weight => weight == 0)) words[prng.Below(words.Length)] = 1;
            return new Weights(words, Enumerable.Range(0, 64).Select(_ => One(prng)).ToArray());
        }

        private static double One(Prng prng) => prng.Chance(0.35) ? 0 : Math.Pow(10, prng.NextDouble() * 2 - 1);
    }

    private sealed class Drawing(Prng prng, ScheduleScope scope, Weights weights)
    {
        private static readonly string[] Outages = [FaultWord.Crash, FaultWord.Power, FaultWord.Pause, FaultWord.Partition, FaultWord.Fence];
        private static readonly string[] Upsets = [FaultWord.Crash, FaultWord.Pause, FaultWord.Partition, FaultWord.Restart, FaultWord.MoveLeader];
        private static readonly string[] OfServers = [FaultWord.Crash, FaultWord.Power, FaultWord.Pause, FaultWord.Restart, FaultWord.Delay];

        /// <summary>What keeps a replica from following, from learning who leads, or from both, and lets it live.</summary>
        private static readonly string[] Stalls = [FaultWord.Pause, FaultWord.Delay, FaultWord.LagMetadata];

        private readonly List<Fault> faults = [];
        private readonly Aim aim = new(prng, scope);
        private int powerLeft = scope.PowerBudget;

        public Weights Weights { get; set; } = weights;

        public FaultSchedule Done() => new(faults);

        /// <summary>Adds a fault, and perhaps another one at the same moment; or a burst, a siege, a handover or a toss.</summary>
        /// <returns>How many; 1 also where nothing could be drawn.</returns>
        public int AddFaults()
        {
            var before = faults.Count;
            if (prng.Chance(scope.SiegeChance)) AddSiege();
            else if (scope.Focus.Count > 1 && prng.Chance(scope.ChurnChance)) AddChurn();
            else
            {
                var when = aim.Trigger();
                if (prng.Chance(scope.BurstChance) && DrawWord() is { } common && OfServers.Contains(common)) AddBurst(common, when);
                else
                {
                    Add(when);
                    if (prng.Chance(scope.ChainChance)) Add(aim.SoonAfter(when));
                }
            }

            return Math.Max(1, faults.Count - before);
        }

        /// <summary>Most nodes of one kind are hurt in the same way; each comes back in its own time.</summary>
        private void AddBurst(string word, Trigger when)
        {
            var group = scope.Focus.Count > 1 ? scope.Focus : prng.Chance(0.5) ? scope.Brokers : scope.Controllers;
            foreach (var id in group.Ids())
                if (prng.Chance(0.75)) Keep(Make(word, prng.Chance(0.5) ? when : aim.SoonAfter(when), NodeRef.Of(id)));
        }

        /// <summary>Brokers go down in turn, and the first one is back about when the last one goes: it lacks what the others wrote meanwhile.</summary>
        private void AddSiege()
        {
            var ways = Enumerable.Range(0, scope.Words.Count).Where(word => WeightOf(word) > 0).Select(word => scope.Words[word]).Where(Outages.Contains).ToArray();
            if (ways.Length == 0 || scope.Brokers.Count < 2) return;
            var order = scope.Brokers.Ids().Select(id => (Id: id, Draw: prng.NextUInt64())).OrderBy(pair => pair.Draw).Select(pair => pair.Id).ToArray();
            var times = new TimeSpan[order.Length];
            times[0] = Ms(prng.Below((int)(scope.Span.TotalMilliseconds * 0.7)));
            for (var i = 1; i < times.Length; i++) times[i] = times[i - 1] + aim.LogUniform(scope.Longest / 20, scope.Longest / 2);
            for (var i = 0; i < order.Length; i++)
            {
                var howLong = i == 0 ? times[^1] - times[0] + aim.LogUniform(Ms(50), Ms(1_000)) : aim.LogUniform(scope.Longest / 4, scope.Longest);
                Keep(Outage(DrawWord(Outages) ?? ways[0], new Trigger.At(Least(times[i], scope.Span)), Least(howLong, scope.Longest), NodeRef.Of(order[i])));
            }
        }

        /// <summary>
        /// A replica falls behind, and at that very moment it is made leader: whatever the others agree on without it is at stake. At times the leader that is to go hears nothing from the
        /// controller, and goes on as it was.
        /// </summary>
        private void AddHandover(Trigger when)
        {
            var partition = prng.Pick(scope.Partitions);
            NodeRef to = when is Trigger.After && prng.Chance(0.25) ? new NodeRef.Observed()
                : prng.Chance(0.5) ? new NodeRef.FollowerOf(partition, prng.Below(Math.Min(2, scope.Brokers.Count - 1)))
                : Fixed(scope.Brokers);
            Keep(Stall(Stalls, when, HowLong(), to));
            if (prng.Chance(0.3) && DrawWord([FaultWord.Partition]) is not null)
                Keep(new Fault.Partition(when, HowLong(), new NodeGroup([new NodeRef.LeaderOf(partition)]), NodeGroup.Of([.. scope.Controllers.Ids()]), prng.Chance(0.7) ? CutWay.In : CutWay.Both));
            Keep(new Fault.MoveLeader(aim.SoonAfter(when), partition, to));
        }

        /// <summary>Leadership goes to a replica, away and back, faster than a stalled replica follows: logs grow apart under epochs that some never hear of.</summary>
        private void AddToss()
        {
            var partition = prng.Pick(scope.Partitions);
            var when = new Trigger.After(new ObservationPattern(ObservationKind.Appended, Partition: partition), (int)Math.Pow(100, prng.NextDouble()), TimeSpan.Zero);
            var (home, away) = (new NodeRef.Observed(), prng.Chance(0.7) ? new NodeRef.FollowerOf(partition, prng.Below(2)) : (NodeRef)Fixed(scope.Brokers));
            var howLong = aim.LogUniform(Ms(100), Ms(1_500));
            Keep(Stall([FaultWord.Pause, FaultWord.LagMetadata], when, howLong, home));
            Keep(new Fault.MoveLeader(Later(when, aim.Small()), partition, away));
            Keep(new Fault.MoveLeader(Later(when, howLong * prng.NextDouble()), partition, home));
        }

        /// <summary>
        /// Whoever wins the quorum is hurt soon after, several elections in a row. Most are cut off from the other voters and still hear the brokers: entries are left behind
        /// that one voter has and the others do not (Raft, figure 8).
        /// </summary>
        private void AddChurn()
        {
            Hurt(new Trigger.At(Ms(prng.Below((int)(scope.Span.TotalMilliseconds * 0.7)))), new NodeRef.ActiveController());
            var (first, length) = (prng.Between(1, 4), prng.Between(3, 8));
            for (var count = first; count < first + length; count++)
                Hurt(new Trigger.After(new ObservationPattern(ObservationKind.QuorumLeader), count, prng.Chance(0.5) ? aim.Small() : aim.LogUniform(Ms(20), Ms(500))), new NodeRef.Observed());

            void Hurt(Trigger when, NodeRef leader)
            {
                if (((prng.Chance(0.6) ? DrawWord([FaultWord.Partition]) : null) ?? DrawWord(Outages)) is not { } word) return;
                var howLong = aim.LogUniform(Ms(20), Ms(2_000));
                Keep(word == FaultWord.Partition ? Apart(when, howLong) : Outage(word, when, howLong, leader));
            }
        }

        /// <summary>
        /// Lies in wait for the moments at which something committed could be lost (<see cref="ObservationKind.CommittedAtRisk"/>), and tries just that: whoever lacks it is kept from
        /// fetching it and made leader. Weights play no part: in a faithful cluster next to none of it ever happens.
        /// </summary>
        public void AddTraps()
        {
            foreach (var partition in scope.Partitions)
            {
                var when = AtRisk(partition);
                var howLong = aim.LogUniform(Ms(50), Ms(1_000));
                if (Allows(FaultWord.Partition)) Keep(new Fault.Partition(when, howLong, new NodeGroup([new NodeRef.Observed()]), NodeGroup.Of([.. scope.Brokers.Ids()])));
                if (Allows(FaultWord.MoveLeader) && prng.Chance(0.75)) Keep(new Fault.MoveLeader(when, partition, new NodeRef.Observed()));
                else if (Allows(FaultWord.Crash)) Keep(new Fault.Crash(when, HowLong(), new NodeRef.LeaderOf(partition)));
            }

            if (scope.Focus.Count > 1 && Allows(FaultWord.Partition)) Keep(Apart(AtRisk(null), aim.LogUniform(Ms(200), scope.Longest)));
        }

        /// <summary>A leader is gone for as long as another one needs to be elected: little is lost, doubled or reordered while leadership stays where it is.</summary>
        public void AddUpset()
        {
            var ways = Upsets.Where(Allows).ToArray();
            if (scope.UpsetChance == 0 || scope.Partitions.Count == 0 || scope.Brokers.Count < 2 || ways.Length == 0 || !prng.Chance(scope.UpsetChance)) return;
            var partition = prng.Pick(scope.Partitions);
            var when = new Trigger.At(aim.LogUniform(scope.Span / 20, scope.Span * 0.8));
            var (howLong, leader) = (aim.LogUniform(scope.Longest / 3, scope.Longest), new NodeRef.LeaderOf(partition));
            Keep(prng.Pick(ways) switch
            {
                FaultWord.MoveLeader => new Fault.MoveLeader(when, partition, new NodeRef.FollowerOf(partition, prng.Below(Math.Min(2, scope.Brokers.Count - 1)))),
                FaultWord.Restart => new Fault.Restart(when, howLong, leader),
                var word => Outage(word, when, howLong, leader),
            });
        }

        private bool Allows(string word) => scope.Words.Contains(word);

        /// <summary>The leader of the quorum from the other voters; brokers still hear it.</summary>
        private Fault.Partition Apart(Trigger when, TimeSpan howLong) =>
            new(when, howLong, new NodeGroup([new NodeRef.ActiveController()]), NodeGroup.Of([.. scope.Focus.Ids()]));

        private Trigger.After AtRisk(TopicPartition? partition) => new(new ObservationPattern(ObservationKind.CommittedAtRisk, Partition: partition), prng.Chance(0.8) ? 1 : prng.Between(2, 4), TimeSpan.Zero);

        private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

        private Fault? Stall(string[] ways, Trigger when, TimeSpan howLong, NodeRef node) => DrawWord(ways) switch
        {
            FaultWord.Pause => new Fault.Pause(when, howLong, node),
            FaultWord.Delay => new Fault.Delay(when, howLong, node, null, Latency(), Latency()),
            FaultWord.LagMetadata => new Fault.LagMetadata(when, howLong, node, Latency() * 10),
            _ => null,
        };

        private static Fault Outage(string word, Trigger when, TimeSpan howLong, NodeRef node) => word switch
        {
            FaultWord.Crash => new Fault.Crash(when, howLong, node),
            FaultWord.Power => new Fault.Power(when, howLong, node),
            FaultWord.Pause => new Fault.Pause(when, howLong, node),
            FaultWord.Partition => new Fault.Partition(when, howLong, new NodeGroup([node]), NodeGroup.None),
            FaultWord.Fence => new Fault.Fence(when, howLong, node),
            _ => throw new InvalidOperationException($"'{word}' takes no node out"),
        };

        private void Add(Trigger when)
        {
            if (DrawWord() is not { } word) return;
            var kind = word == FaultWord.MoveLeader && scope.Partitions.Count > 0 && scope.Brokers.Count > 1 ? prng.NextDouble() : 1;
            if (kind < scope.HandoverChance) AddHandover(when);
            else if (kind < scope.HandoverChance + scope.TossChance) AddToss();
            else Keep(Make(word, when));
        }

        private void Keep(Fault? fault)
        {
            if (fault is null || fault is Fault.Power && powerLeft-- <= 0) return;
            faults.Add(fault);
        }

        /// <param name="among">Null: all words of the scope.</param>
        private string? DrawWord(string[]? among = null)
        {
            var total = WeightAmong(among);
            if (total <= 0) return null;
            var at = prng.NextDouble() * total;
            for (var i = 0; i < scope.Words.Count; i++)
            {
                if ((at -= WeightAmong(among, i)) < 0) return scope.Words[i];
            }

            return null;
        }

        private double WeightAmong(string[]? among) => Enumerable.Range(0, scope.Words.Count).Sum(word => WeightAmong(among, word));

        private double WeightAmong(string[]? among, int word) => among is null || among.Contains(scope.Words[word]) ? WeightOf(word) : 0;

        private double WeightOf(int word) => scope.Words[word] == FaultWord.Power && powerLeft <= 0 ? 0 : Weights.Words?[word] ?? 1;

        /// <param name="whom">Null: to be drawn.</param>
        private Fault? Make(string word, Trigger when, NodeRef? whom = null)
        {
            var servers = new NodeSet(scope.Brokers.Bits | scope.Controllers.Bits);
            var all = new NodeSet(servers.Bits | scope.Clients.Bits);
            var howLong = HowLong();
            return word switch
            {
                FaultWord.Crash => (whom ?? Subject(servers, when)) is { } node ? new Fault.Crash(when, howLong, node) : null,
                FaultWord.Power => (whom ?? Subject(servers, when)) is { } node ? new Fault.Power(when, howLong, node) : null,
                FaultWord.Pause => (whom ?? Subject(all, when)) is { } node ? new Fault.Pause(when, howLong, node) : null,
                FaultWord.Restart => (whom ?? Subject(servers, when)) is { } node ? new Fault.Restart(when, howLong, node) : null,
                FaultWord.Partition => Cut(all, when, howLong),
                FaultWord.Delay => (whom ?? Subject(all, when)) is { } node ? new Fault.Delay(when, howLong, node, Peer(all, node), Latency(), Latency()) : null,
                FaultWord.Reset => Subject(all, when) is { } node ? new Fault.Reset(when, node, Peer(all, node)) : null,
                FaultWord.Clock => Subject(all, when) is { } node ? Misset(when, howLong, node) : null,
                FaultWord.Hold => Hold(all, when, howLong),
                FaultWord.LoseAnswer => Subject(servers, when) is { } node ? new Fault.LoseAnswer(when, howLong, node, null, ApiKey(), prng.Between(1, 3), prng.Chance(0.6)) : null,
                FaultWord.LagMetadata => (whom ?? Subject(scope.Brokers, when)) is { } node ? new Fault.LagMetadata(when, howLong, node, Latency() * 10) : null,
                FaultWord.MoveLeader => MoveLeader(when),
                FaultWord.Fence => Subject(scope.Brokers, when) is { } node ? new Fault.Fence(when, howLong, node) : null,
                FaultWord.Disk => Subject(servers, when) is { } node ? Trouble(when, howLong, node) : null,
                FaultWord.DiskLies => Subject(servers, when) is { } node ? new Fault.DiskLies(when, howLong, node) : null,
                FaultWord.BitRot => Subject(servers, when) is { } node ? new Fault.BitRot(when, node) : null,
                _ => throw new InvalidOperationException($"unknown fault word '{word}'"),
            };
        }

        /// <summary>A fixed node by its weight, or a role.</summary>
        private NodeRef? Subject(NodeSet among, Trigger when)
        {
            if (among.Count == 0) return null;
            var canLead = (among.Bits & scope.Brokers.Bits) != 0 && scope.Partitions.Count > 0;
            if (when is Trigger.After && prng.Chance(0.35)) return new NodeRef.Observed();
            if (canLead && prng.Chance(0.3)) return Role();
            var active = (scope.Focus.Bits & scope.Controllers.Bits) != 0 ? 0.25 : 0.08;
            return (among.Bits & scope.Controllers.Bits) != 0 && prng.Chance(active) ? new NodeRef.ActiveController() : Fixed(among);
        }

        private NodeRef Role()
        {
            var partition = prng.Pick(scope.Partitions);
            return prng.Chance(0.5) ? new NodeRef.LeaderOf(partition) : new NodeRef.FollowerOf(partition, prng.Below(Math.Max(1, Math.Min(2, scope.Brokers.Count - 1))));
        }

        private NodeRef.Fixed Fixed(NodeSet among)
        {
            var total = among.Ids().Sum(WeightOfNode);
            var at = prng.NextDouble() * total;
            foreach (var id in among.Ids())
            {
                if ((at -= WeightOfNode(id)) < 0) return new NodeRef.Fixed(new NodeId(id));
            }

            return new NodeRef.Fixed(new NodeId(prng.Pick(among.Ids().ToArray())));
        }

        private double WeightOfNode(int id) => (Weights.Nodes?[id] ?? 1) * (scope.Focus.Contains(id) ? FocusWeight : 1);

        private NodeRef? Peer(NodeSet all, NodeRef node)
        {
            if (prng.Chance(0.5)) return null;
            var among = scope.Focus.Count > 1 && prng.Chance(0.6) ? scope.Focus : all;
            return among.Count < 2 ? null
                : node is NodeRef.Fixed(var id) ? NodeRef.Of(prng.Pick(among.Without(id.Value).Ids().ToArray()))
                : NodeRef.Of(prng.Pick(among.Ids().ToArray()));
        }

        private Fault.Partition? Cut(NodeSet all, Trigger when, TimeSpan howLong)
        {
            if (all.Count < 2 || Subject(new NodeSet(scope.Brokers.Bits | scope.Controllers.Bits), when) is not { } node) return null;
            if (scope.Focus.Count > 1 && prng.Chance(0.5)) all = scope.Focus;
            var way = prng.Below(4) switch { 0 => CutWay.Out, 1 => CutWay.In, _ => CutWay.Both };
            return prng.Below(3) switch
            {
                0 => new Fault.Partition(when, howLong, new NodeGroup([node]), NodeGroup.None, way),
                1 => new Fault.Partition(when, howLong, new NodeGroup([node]), new NodeGroup([Fixed(all)]), way),
                _ => Halves(all, when, howLong, way),
            };
        }

        private Fault.Partition Halves(NodeSet all, Trigger when, TimeSpan howLong, CutWay way)
        {
            var side = new NodeSet(all.Bits & prng.NextUInt64());
            if (side.Count == 0 || side == all) side = NodeSet.Of([Fixed(all).Id.Value]);
            return new Fault.Partition(when, howLong, NodeGroup.Of([.. side.Ids()]), NodeGroup.Of([.. new NodeSet(all.Bits & ~side.Bits).Ids()]), way);
        }

        private Fault.Hold? Hold(NodeSet all, Trigger when, TimeSpan howLong)
        {
            var server = Subject(new NodeSet(scope.Brokers.Bits | scope.Controllers.Bits), when);
            if (server is null) return null;
            var answers = prng.Chance(0.4);
            var other = prng.Chance(0.5) ? null : Peer(all, server);
            return new Fault.Hold(when, howLong, answers ? server : other, answers ? other : server, ApiKey(), answers, prng.Between(1, 3));
        }

        private Fault.MoveLeader? MoveLeader(Trigger when) =>
            scope.Partitions.Count == 0 || scope.Brokers.Count == 0 || Subject(scope.Brokers, when) is not { } to ? null : new Fault.MoveLeader(when, prng.Pick(scope.Partitions), to);

        private Fault.Clock Misset(Trigger when, TimeSpan howLong, NodeRef node)
        {
            var sign = prng.Chance(0.5) ? 1 : -1;
            var error = prng.Pick([ClockError.Offset, ClockError.Jump, ClockError.Drift]);
            var by = error == ClockError.Drift ? aim.LogUniform(Ms(1), Ms(200)) : aim.LogUniform(Ms(10), TimeSpan.FromHours(2));
            return new Fault.Clock(when, howLong, node, error, by * sign);
        }

        private Fault.Disk Trouble(Trigger when, TimeSpan howLong, NodeRef node)
        {
            var trouble = prng.Pick([DiskTrouble.FsyncFails, DiskTrouble.Full, DiskTrouble.Slow]);
            return new Fault.Disk(when, howLong, node, trouble, trouble == DiskTrouble.Slow ? Latency() : TimeSpan.Zero);
        }

        private short? ApiKey() => scope.ApiKeys.Count == 0 || prng.Chance(0.2) ? null : prng.Pick(scope.ApiKeys);

        private TimeSpan HowLong() => aim.LogUniform(scope.Shortest, scope.Longest);

        private TimeSpan Latency() => aim.LogUniform(Ms(1), Ms(200));

        private static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);
    }

    /// <summary>Draws moments: plain times, or right after the events around which replication bugs live.</summary>
    private sealed class Aim(Prng prng, ScheduleScope scope)
    {
        private static readonly ObservationKind[] Rare =
        [
            ObservationKind.IsrProposed, ObservationKind.IsrCommitted, ObservationKind.BecameLeader, ObservationKind.BecameFollower,
            ObservationKind.Elected, ObservationKind.Truncated, ObservationKind.QuorumLeader, ObservationKind.QuorumVote, ObservationKind.BrokerFenced,
            ObservationKind.NodeStarted,
        ];

        /// <summary>For workloads whose promise rests on the metadata quorum alone.</summary>
        private static readonly ObservationKind[] RareInQuorum = [ObservationKind.QuorumLeader, ObservationKind.QuorumVote, ObservationKind.QuorumVote, ObservationKind.BrokerFenced, ObservationKind.NodeStarted];

        private static readonly ObservationKind[] FrequentInQuorum = [ObservationKind.MetadataCommitted];

        private static readonly ObservationKind[] Frequent =
        [
            ObservationKind.Replicated, ObservationKind.Appended, ObservationKind.HighWatermark, ObservationKind.ProduceAnswered,
        ];

        public Trigger Trigger()
        {
            if (!prng.Chance(scope.EventShare)) return new Trigger.At(Round(prng.NextDouble() * scope.Span));
            var frequent = prng.Chance(0.3);
            var ofQuorum = scope.Focus.Count > 0 && (scope.Focus.Bits & scope.Brokers.Bits) == 0;
            var kind = prng.Pick(ofQuorum ? frequent ? FrequentInQuorum : RareInQuorum : frequent ? Frequent : Rare);
            var count = frequent ? (int)Math.Pow(200, prng.NextDouble()) : kind is ObservationKind.NodeStarted ? prng.Between(scope.Brokers.Count + 1, 2 * scope.Brokers.Count) : prng.Between(1, 6);
            TopicPartition? partition = IsOfPartition(kind) && scope.Partitions.Count > 0 && prng.Chance(0.5) ? prng.Pick(scope.Partitions) : null;
            return new Trigger.After(new ObservationPattern(kind, Partition: partition), Math.Max(1, count), Small());
        }

        public Trigger SoonAfter(Trigger first) => Later(first, Soon());

        public TimeSpan LogUniform(TimeSpan from, TimeSpan to) =>
            Round(TimeSpan.FromTicks((long)(from.Ticks * Math.Pow((double)to.Ticks / from.Ticks, prng.NextDouble()))));

        /// <summary>Mostly at once; at times as late as sessions and elections time out.</summary>
        private TimeSpan Soon() => prng.Chance(0.7) ? Small() : LogUniform(TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(2));

        /// <summary>At once, within the time of a message, or of a few.</summary>
        public TimeSpan Small() => prng.Chance(0.35) ? TimeSpan.Zero : Round(TimeSpan.FromMilliseconds(prng.NextDouble() * (prng.Chance(0.5) ? 2 : 20)));

        private static bool IsOfPartition(ObservationKind kind) =>
            kind is not (ObservationKind.QuorumLeader or ObservationKind.QuorumVote or ObservationKind.MetadataCommitted or ObservationKind.BrokerFenced or ObservationKind.NodeStarted);

        /// <summary>To tenths of a millisecond: people read this.</summary>
        private static TimeSpan Round(TimeSpan time) => TimeSpan.FromTicks(time.Ticks / 1000 * 1000);
    }
}
