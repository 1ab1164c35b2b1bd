using System.Reflection;
using Broker.Core;
using Broker.Tests;
using Chaos.Tests.Storage;
using Verify.Campaign.Hunting;
using Verify.Clients;
using Verify.Properties.Replication;
using Xunit.Sdk;

namespace Verify.Tests.Hunting;

/// <summary>Tests of broker and client put to the test: each holds as it is, and fails when one of the mutants is planted that <c>killing-tests.txt</c> says it kills.</summary>
public sealed class KillingTests
{
    private static readonly Assembly[] Floors = [typeof(UnderTest).Assembly, typeof(LogCrashTests).Assembly, typeof(IsrTimingTests).Assembly, typeof(KillingTests).Assembly];

    public static TheoryData<string> Mutants => [.. MutantNotes.KillingTests.Slugs];

    public static TheoryData<string> Tests => [.. MutantNotes.KillingTests.Slugs.Select(static slug => MutantNotes.KillingTests.Of(slug)!).Distinct()];

    [Theory, MemberData(nameof(Tests))]
    public Task It_holds_with_the_faithful_rules(string test) => RunAsync(Find(test));

    [Theory, MemberData(nameof(Mutants))]
    public async Task It_fails_when_the_mutant_is_planted(string slug)
    {
        var mutant = MechanicalMutants.All.Single(mutant => mutant.Planted.Slug == slug);
        var test = Find(MutantNotes.KillingTests.Of(slug)!);
        Tripwire.Reset();
        UnderTest.Plant(mutant.Rule.IsOfClient ? mutant.Planted.Client(new ClientRules()) : mutant.Planted.Broker(new BrokerRules()));
        await Assert.ThrowsAnyAsync<Exception>(() => RunAsync(test));
    }

    private static MethodInfo Find(string test) => test.Split('.') is [var type, var method]
        ? Floors.SelectMany(static floor => floor.GetExportedTypes()).Where(found => found.Name == type).Select(found => found.GetMethod(method)).Single(static found => found is not null)!
        : throw new ArgumentException($"{test} is not Class.Method");

    private static async Task RunAsync(MethodInfo test)
    {
        object?[][] rows = [.. test.GetCustomAttributes<DataAttribute>().SelectMany(data => data.GetData(test))];
        foreach (var row in rows is [] ? [[]] : rows)
        {
            var instance = Activator.CreateInstance(test.DeclaringType!);
            if (test.Invoke(instance, BindingFlags.DoNotWrapExceptions, null, row, null) is Task running) await running;
        }
    }
}
