using Chaos.Faults;
using Verify.Campaign.Live;
using Verify.Campaign.Results;
using Verify.Campaign.Running;
using Verify.Promises;
using Verify.Zoo;

namespace Verify.Campaign.Campaigns;

/// <summary>What a campaign is to do: every cell over the same seeds.</summary>
public sealed record CampaignPlan
{
    public required IReadOnlyList<Cell> Cells { get; init; }

    /// <summary>Names of the varied settings, in the order asked.</summary>
    public IReadOnlyList<string> Varied { get; init; } = [];

    public required string Workload { get; init; }

    public required SeedRange Seeds { get; init; }

    public SeedShard? Shard { get; init; }

    public FaultChoice Faults { get; init; } = FaultChoice.Default;

    /// <summary>Of the workload under faults, per seed, in virtual time.</summary>
    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(25);

    public Mutant? Mutant { get; init; }

    /// <summary>Threads; one simulation never leaves its thread.</summary>
    public int Jobs { get; init; } = Environment.ProcessorCount;

    /// <summary>No new seed is started after this; null: no limit.</summary>
    public TimeSpan? Budget { get; init; }

    /// <summary>The command line, for the result.</summary>
    public required string Command { get; init; }

    /// <summary>Seeds of this shard: those whose place in the range, from 0, leaves the shard's index - 1 when divided by the number of shards.</summary>
    public IEnumerable<ulong> SeedsOfShard()
    {
        var (index, of) = Shard is { } shard ? (shard.Index, shard.Of) : (1, 1);
        for (var seed = Seeds.From; ; seed++)
        {
            if ((seed - Seeds.From) % (ulong)of == (ulong)(index - 1)) yield return seed;
            if (seed == Seeds.To) yield break;
        }
    }

    /// <summary>How many these are.</summary>
    public UInt128 SeedCount
    {
        get
        {
            var (index, of) = Shard is { } shard ? (shard.Index, shard.Of) : (1, 1);
            return ((UInt128)Seeds.To - Seeds.From + (UInt128)of - (UInt128)(index - 1)) / (UInt128)of;
        }
    }

    /// <summary>Where live runs take place; null: in simulation.</summary>
    public LivePlace? Live { get; init; }

    /// <summary>What happens instead of drawn faults; null: these.</summary>
    public Recipe? Recipe { get; init; }

    public Scenario ScenarioOf(Cell cell, ulong seed)
    {
        var drawn = Drawn(cell, seed);
        return Recipe is null ? drawn : drawn with { Faults = Recipe.Faults(new RecipePace(cell.Configuration.SessionTimeout, cell.Configuration.ReplicaLagTime, Length)), PowerLimit = null };
    }

    private Scenario Drawn(Cell cell, ulong seed) => Live is not null ? Live.Draw(seed, cell.Configuration, Faults, Length) : ScenarioGenerator.Draw(seed, cell.Configuration, Workload, Faults, Length, Mutant?.Slug);
}

/// <summary>How far a campaign is, for whoever shows it.</summary>
public readonly record struct CampaignProgress(long Done, long Total, long Broken, long Permitted);
