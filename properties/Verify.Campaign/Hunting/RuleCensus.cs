using System.Reflection;
using System.Reflection.Emit;
using Broker.Core;
using Verify.Campaign.Judging;
using Verify.Campaign.Running;
using Verify.Clients;
using Verify.Zoo;

namespace Verify.Campaign.Hunting;

/// <summary>
/// What the faithful rules are asked, seed by seed, and which mechanical mutants would have answered otherwise. In a run in which a mutant never answers otherwise nothing is otherwise, so it need not be played; and of a
/// survivor it can be told whether no run asks its rule, whether none needs it right, or whether what came of it was not seen. Source: reach, infect, propagate (Voas 1992, "PIE").
/// </summary>
public sealed class RuleCensus
{
    /// <summary>The mechanical mutants of each rule, by their numbers in the order of <see cref="MechanicalMutants.All"/>.</summary>
    private static readonly ILookup<string, (MechanicalMutant Mutant, int Number)> ByRule =
        MechanicalMutants.All.Select(static (mutant, number) => (mutant, number)).ToLookup(static numbered => numbered.mutant.Rule.Name);

    private static readonly BrokerRules WatchedBroker = RuleBook.All.Where(static rule => !rule.IsOfClient).DistinctBy(static rule => rule.Type)
        .Aggregate(new BrokerRules(), static (book, rule) => (BrokerRules)RuleBook.With(book, rule.Path, Watching(rule.Type)));

    private static readonly ClientRules WatchedClient = (ClientRules)Watching(typeof(ClientRules));

    /// <summary>Plants nothing: each of its rules answers faithfully and is noted in <see cref="RuleWatch"/>.</summary>
    private static readonly Mutant Watched = new("watched", "none", "Nothing is planted.", Rarity.Extreme, [], "") { Broker = static _ => WatchedBroker, Client = static _ => WatchedClient, Counts = false };

    private readonly List<ulong>[] asked = Lists(), differing = Lists();
    private readonly SortedDictionary<ulong, string> workloads = [];
    private readonly List<ulong> accused = [];

    private RuleCensus()
    {
    }

    /// <summary>Seeds that were played.</summary>
    public int Played => workloads.Count;

    /// <summary>Seeds in which the faithful broker itself was accused of something: no hunt can use them.</summary>
    public IReadOnlyList<ulong> Accused => accused;

    /// <summary>How many rules were asked at all.</summary>
    public int RulesAsked => ByRule.Count(rule => asked[rule.First().Number].Count > 0);

    /// <summary>Plays the faithful rules with a range of seeds under any conditions.</summary>
    public static RuleCensus Take(HuntPlan plan, Func<RunRecord, RunVerdict> judge, CancellationToken stop = default)
    {
        var census = new RuleCensus();
        var next = plan.FirstSeed;
        var gate = new Lock();
        Exception? failure = null;
        var threads = Enumerable.Range(0, Math.Max(1, plan.Jobs)).Select(number => new Thread(Labour) { IsBackground = true, Name = $"census-{number}" }).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        if (failure is not null) throw new InvalidOperationException($"the census of rules failed: {failure.Message}", failure);
        foreach (var seeds in census.asked.Concat(census.differing).Append(census.accused)) seeds.Sort();
        return census;

        void Labour()
        {
            try
            {
                while (Next() is { } seed)
                {
                    RuleWatch.Reset();
                    var scenario = AnyScenario.Draw(seed, plan.Length);
                    var isClean = !judge(SimulatedRun.Play(scenario with { Mutant = Watched.Slug }, Watched)).Broken.Any();
                    lock (gate) census.Add(scenario, isClean);
                }
            }
            catch (Exception problem)                                  // told to whoever called Take
            {
                lock (gate) failure ??= problem;
            }
        }

        ulong? Next()
        {
            lock (gate) return failure is not null || stop.IsCancellationRequested || next > plan.LastSeed ? null : next++;
        }
    }

    /// <summary>Runs that asked a mutant's rule.</summary>
    public int Asked(string slug) => asked[NumberOf(slug)].Count;

    /// <summary>Runs in which a mutant would have answered otherwise.</summary>
    public int Differing(string slug) => differing[NumberOf(slug)].Count;

    /// <summary>The seeds worth playing with a mutant, those of the workload in which it is seen most easily and those of the others in turn.</summary>
    public IReadOnlyList<ulong> SeedsFor(Mutant mutant)
    {
        var worth = differing[NumberOf(mutant.Slug)].Except(accused).ToLookup(seed => workloads[seed] == mutant.Workload);
        return [.. worth.SelectMany(static seeds => seeds.Select(static (seed, place) => (seed, place))).OrderBy(static one => one.place).ThenBy(static one => one.seed).Select(static one => one.seed)];
    }

    private void Add(Scenario scenario, bool isClean)
    {
        workloads.Add(scenario.Seed, scenario.Plan.Workload);
        if (!isClean) accused.Add(scenario.Seed);
        foreach (var number in RuleWatch.Asked) asked[number].Add(scenario.Seed);
        foreach (var number in RuleWatch.Differing) differing[number].Add(scenario.Seed);
    }

    private static int NumberOf(string slug) => ByRule[slug[..slug.IndexOf(':', StringComparison.Ordinal)]].Single(one => one.Mutant.Planted.Slug == slug).Number;

    private static List<ulong>[] Lists() => [.. MechanicalMutants.All.Select(static _ => new List<ulong>())];

    /// <summary>An object whose rules answer faithfully and compare with what each mutant would have answered.</summary>
    private static object Watching(Type rules)
    {
        var type = RuleOverride.Module.DefineType($"{rules.Name}.watching", TypeAttributes.Public | TypeAttributes.Sealed, rules);
        foreach (var rule in RuleBook.All.Where(rule => rule.Type == rules))
        {
            RuleOverride.Emit(type, rule.Method, static _ => { }, (il, right) =>
            {
                foreach (var (mutant, number) in ByRule[rule.Name])
                {
                    il.Emit(OpCodes.Ldloc, right);
                    mutant.Load(il, right);
                    il.Emit(OpCodes.Ldc_I4, number);
                    il.Emit(OpCodes.Call, ComparisonOf(rule.Method.ReturnType));
                }
                il.Emit(OpCodes.Ldloc, right);
            });
        }
        return Activator.CreateInstance(type.CreateType())!;
    }

    private static MethodInfo ComparisonOf(Type answer) => RuleBook.ElementOf(answer) is { } element
        ? typeof(RuleWatch).GetMethod(nameof(RuleWatch.CompareAll))!.MakeGenericMethod(element)
        : typeof(RuleWatch).GetMethod(nameof(RuleWatch.Compare))!.MakeGenericMethod(answer);
}

/// <summary>Notes what the run on this thread asks of rules. Public because generated code calls it.</summary>
public static class RuleWatch
{
    private const byte WasAsked = 1, Differed = 2;

    [ThreadStatic]
    private static byte[]? seen;

    /// <summary>The numbers of the mutants whose rules were asked since <see cref="Reset"/>.</summary>
    public static IEnumerable<int> Asked => With(WasAsked);

    /// <summary>Those of the mutants that would have answered otherwise.</summary>
    public static IEnumerable<int> Differing => With(Differed);

    /// <summary>Before each run, on the thread of the run.</summary>
    public static void Reset() => seen = new byte[MechanicalMutants.All.Count];

    public static void Compare<T>(T right, T wrong, int mutant) => Note(EqualityComparer<T>.Default.Equals(right, wrong), mutant);

    public static void CompareAll<T>(IReadOnlyList<T> right, IReadOnlyList<T> wrong, int mutant) => Note(right.SequenceEqual(wrong), mutant);

    private static void Note(bool isSame, int mutant) => seen![mutant] |= isSame ? WasAsked : (byte)(WasAsked | Differed);

    private static IEnumerable<int> With(byte flag) => Enumerable.Range(0, seen!.Length).Where(mutant => (seen[mutant] & flag) != 0);
}
