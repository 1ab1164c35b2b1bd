using Broker.Core.Groups;
using Broker.Protocol;
using Broker.Runtime;
using FsCheck;
using FsCheck.Fluent;
using static Broker.Tests.Groups.GroupWorld;

namespace Broker.Tests.Groups;

/// <summary>What a group may rely on, whatever its members do, whoever is late, and whenever the coordinator dies and leaves its successor less than it had.</summary>
public sealed class GroupProperties
{
    [Fact]
    public void A_generation_has_one_protocol_a_partition_one_owner_and_offsets_do_not_go_back() =>
        Prop.ForAll<ulong>(seed => Story.Play(seed, UnderTest.Rules.Groups) is { } broken ? false.Label(broken) : true.Label("")).Check(Config.QuickThrowOnFailure.WithMaxTest(400));

    public static TheoryData<string, GroupRules> Planted => new()
    {
        { "offset", new ShowsTooEarly() },
        { "offset", new AnswersTooEarly() },
        { "owner", new HandsOutTooEarly() },
        { "owner", new KeepsReplacementInMemory() },
        { "protocol", new ForgetsToCount() },
    };

    [Theory, MemberData(nameof(Planted))]
    public void A_planted_bug_falsifies_it(string what, GroupRules rules) =>
        Assert.Contains(Enumerable.Range(0, 3000).Select(seed => Story.Play((ulong)seed, rules)), broken => broken?.Contains(what, StringComparison.Ordinal) ?? false);

    public sealed class ShowsTooEarly : GroupRules
    {
        public override IReadOnlyList<OffsetCommitStep> OffsetCommitSteps() => [OffsetCommitStep.Append, OffsetCommitStep.Show, OffsetCommitStep.AwaitReplication, OffsetCommitStep.Answer];
    }

    public sealed class AnswersTooEarly : GroupRules
    {
        public override IReadOnlyList<OffsetCommitStep> OffsetCommitSteps() => [OffsetCommitStep.Append, OffsetCommitStep.Answer, OffsetCommitStep.AwaitReplication, OffsetCommitStep.Show];
    }

    public sealed class HandsOutTooEarly : GroupRules
    {
        public override IReadOnlyList<AssignmentStep> AssignmentSteps() => [AssignmentStep.Append, AssignmentStep.HandOut];
    }

    public sealed class KeepsReplacementInMemory : GroupRules
    {
        public override bool StoresReplacement() => false;
    }

    public sealed class ForgetsToCount : GroupRules
    {
        public override int NextGeneration(int generation) => Math.Max(generation, 1);
    }

    /// <summary>One drawn run of up to four members; says what was broken, or null.</summary>
    private sealed class Story(ulong seed, GroupRules rules)
    {
        private const int Partitions = 3;

        private readonly Prng chance = new(seed);
        private readonly GroupWorld world = new(rules);
        private readonly Actor[] actors = [new(null), new(null), new("i"), new("i")];
        private readonly Dictionary<(int Term, int Generation), string?> protocols = [];
        private readonly Dictionary<(int Generation, int Partition), string> owners = [];
        private readonly List<string> ids = [];                          // in the order in which members were told them
        private readonly Dictionary<long, (int Partition, long Offset)> commits = [];
        private readonly long[] atLeast = [-1, -1, -1];
        private long lastOffset;
        private string? broken;

        public static string? Play(ulong seed, GroupRules rules)
        {
            var story = new Story(seed, rules);
            for (var step = 0; step < 120 && story.broken is null; step++) story.Step();
            return story.broken;
        }

        private void Step()
        {
            var actor = chance.Pick(actors);
            switch (chance.Below(20))
            {
                case < 6: Join(actor); break;
                case < 10: Sync(actor); break;
                case < 12: Commit(actor); break;
                case 12: world.Ask(Beat(actor.Id, actor.Generation, actor.Instance)); break;
                case 13: world.Ask(Leave(actor.Id, actor.Instance)); break;
                case 14: world.Pass(TimeSpan.FromMilliseconds(chance.Below(chance.Chance(0.2) ? 25_000 : 2000))); break;
                case 15: world.Replicates = !world.Replicates; break;
                case 16: world.Replicate(); break;
                case 17 when chance.Chance(0.5): world.FailOver(chance.Below(3)); break;
                default: break;
            }
            foreach (var one in actors) Hear(one);
            CheckOffsets();
        }

        private void Join(Actor actor)
        {
            if (actor.Joining is not null) return;
            if (chance.Chance(actor.Instance is null ? 0.05 : 0.3)) (actor.Id, actor.Generation) = ("", -1);                   // it died and begins anew
            string[] preferred = chance.Below(3) switch { 0 => ["range", "sticky"], 1 => ["sticky", "range"], _ => ["range"] };
            (actor.Joining, actor.JoinTerm) = (world.Ask(GroupWorld.Join(actor.Id, actor.Instance, protocols: preferred)), world.Term);
        }

        private void Sync(Actor actor)
        {
            if (actor.Syncing is not null || actor.Generation < 0) return;
            List<(string, byte[])> shares = [];
            if (actor.Members.Count > 0)
            {
                var given = Enumerable.Range(0, Partitions).Select(_ => chance.Pick(actor.Members)).ToList();
                shares = actor.Members.ConvertAll(member => (member, Enumerable.Range(0, Partitions).Where(partition => given[partition] == member).Select(partition => (byte)partition).ToArray()));
            }
            (actor.SyncGeneration, actor.SyncId, actor.SyncTerm) = (actor.Generation, actor.Id, world.Term);
            actor.Syncing = world.Ask(GroupWorld.Sync(actor.Id, actor.Generation, actor.Instance, [.. shares]));
        }

        private void Commit(Actor actor)
        {
            var partition = chance.Below(Partitions);
            var offset = ++lastOffset;
            commits.Add(world.Ask(GroupWorld.Commit(offset, actor.Generation, actor.Id, actor.Instance, partition)), (partition, offset));
        }

        private void Hear(Actor actor)
        {
            if (actor.Joining is { } joining && (world.Answer<JoinGroupResponse>(joining) is not null || actor.JoinTerm != world.Term))
            {
                actor.Joining = null;
                if (world.Answer<JoinGroupResponse>(joining) is { } joined) Hear(actor, joined);
            }
            if (actor.Syncing is { } syncing && (world.Answer<SyncGroupResponse>(syncing) is not null || actor.SyncTerm != world.Term))
            {
                actor.Syncing = null;
                if (world.Answer<SyncGroupResponse>(syncing) is { ErrorCode: ErrorCode.None } share) Own(actor, share.Assignment.ToArray());
            }
        }

        private void Hear(Actor actor, JoinGroupResponse joined)
        {
            if (joined.ErrorCode is ErrorCode.MemberIdRequired) actor.Id = joined.MemberId;
            if (joined.ErrorCode is ErrorCode.UnknownMemberId or ErrorCode.FencedInstanceId) (actor.Id, actor.Generation) = ("", -1);
            if (joined.ErrorCode is not ErrorCode.None) return;
            if (!ids.Contains(joined.MemberId)) ids.Add(joined.MemberId);
            (actor.Id, actor.Generation, actor.Members) = (joined.MemberId, joined.GenerationId, joined.SkipAssignment ? [] : joined.Members.ConvertAll(member => member.MemberId));
            var known = protocols.TryAdd((actor.JoinTerm, joined.GenerationId), joined.ProtocolName) ? joined.ProtocolName : protocols[(actor.JoinTerm, joined.GenerationId)];
            if (known != joined.ProtocolName) broken = $"another protocol in generation {joined.GenerationId}: {known}, then {joined.ProtocolName}";
        }

        /// <summary>A static member's share goes over to who came later under its name, and not back.</summary>
        private void Own(Actor actor, byte[] share)
        {
            foreach (var partition in share)
            {
                var owner = owners.GetValueOrDefault((actor.SyncGeneration, partition), actor.SyncId);
                var succeeds = owner.StartsWith("i-", StringComparison.Ordinal) && actor.Instance is not null && ids.IndexOf(owner) < ids.IndexOf(actor.SyncId);
                if (owner != actor.SyncId && !succeeds) broken = $"a second owner of partition {partition} in generation {actor.SyncGeneration}: {owner}, then {actor.SyncId}";
                owners[(actor.SyncGeneration, partition)] = actor.SyncId;
            }
        }

        private void CheckOffsets()
        {
            foreach (var (ticket, (partition, offset)) in commits.ToArray())
            {
                if (world.Answer<OffsetCommitResponse>(ticket) is not { } answer) continue;
                commits.Remove(ticket);
                if (ErrorOf(answer) is ErrorCode.None && offset > atLeast[partition]) atLeast[partition] = offset;
            }
            if (!world.Replicates && chance.Chance(0.5)) return;
            for (var partition = 0; partition < Partitions; partition++)
            {
                var told = world.Offset(partition);
                if (told < atLeast[partition]) broken = $"offset of {partition} went back from {atLeast[partition]} to {told}";
                atLeast[partition] = told;
            }
        }
    }

    private sealed class Actor(string? instance)
    {
        public string? Instance { get; } = instance;

        public string Id { get; set; } = "";

        public int Generation { get; set; } = -1;

        /// <summary>As the leader was told them.</summary>
        public List<string> Members { get; set; } = [];

        public long? Joining { get; set; }

        public int JoinTerm { get; set; }

        public long? Syncing { get; set; }

        public int SyncTerm { get; set; }

        public int SyncGeneration { get; set; }

        public string SyncId { get; set; } = "";
    }
}
