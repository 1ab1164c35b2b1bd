using System.Reflection;
using Broker.Core;
using Broker.Runtime;
using Verify.Campaign.Hunting;
using Verify.Clients;
using Xunit;

namespace Verify.Tests.Hunting;

public sealed class RuleBookTests
{
    [Fact]
    public void Every_method_that_is_marked_as_a_rule_is_in_the_book_once()
    {
        var marked = new[] { typeof(BrokerRules).Assembly, typeof(ClientRules).Assembly }
            .SelectMany(assembly => assembly.GetExportedTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(method => method.GetCustomAttribute<RuleAttribute>() is not null)
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}");
        Assert.Equal(marked.Order(StringComparer.Ordinal), RuleBook.All.Select(rule => rule.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_public_method_of_a_rules_type_is_a_rule_that_can_be_overridden()
    {
        foreach (var type in RuleBook.All.Select(rule => rule.Type).Distinct())
            foreach (var method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
                Assert.True(method is { IsVirtual: true, IsFinal: false } && method.GetCustomAttribute<RuleAttribute>() is not null, $"{type.Name}.{method.Name}");
    }

    [Fact]
    public void Every_rule_says_what_holds_and_where_that_comes_from() =>
        Assert.All(RuleBook.All, rule => Assert.True(rule.Says.Length > 10 && rule.Source.Length > 3, rule.Name));

    [Fact]
    public void Every_rule_is_wrong_in_at_least_one_way()
    {
        var wrong = MechanicalMutants.All.Select(mutant => mutant.Rule.Name).ToHashSet();
        Assert.All(RuleBook.All, rule => Assert.Contains(rule.Name, wrong));
        Assert.Equal(MechanicalMutants.All.Count, MechanicalMutants.All.Select(mutant => mutant.Planted.Slug).Distinct().Count());
    }

    [Fact]
    public void A_mechanical_mutant_differs_from_the_faithful_rules_in_exactly_one_method() =>
        Assert.All(MechanicalMutants.All, mutant =>
        {
            var own = mutant.Type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly);
            Assert.Equal(mutant.Rule.Type, mutant.Type.BaseType);
            Assert.Equal(mutant.Rule.Method, Assert.Single(own).GetBaseDefinition());
        });

    [Fact]
    public void A_mechanical_mutant_is_planted_in_its_own_place_and_nowhere_else() =>
        Assert.All(MechanicalMutants.All, mutant =>
        {
            var faithful = new BrokerRules();
            var planted = mutant.Planted.Broker(faithful);
            var parts = Parts(planted).ToList();
            Assert.Equal(mutant.Rule.IsOfClient ? 0 : 1, parts.Count(part => part.GetType() == mutant.Type));
            Assert.Equal(Parts(faithful).Count(), parts.Count(part => part.GetType() != mutant.Type) + (mutant.Rule.IsOfClient ? 0 : 1));
            Assert.Equal(mutant.Rule.IsOfClient, mutant.Planted.Client(new ClientRules()).GetType() == mutant.Type);
            Assert.False(mutant.Planted.Counts);
        });

    [Theory]
    [InlineData("ReplicationRules.MayJoinIsr:always", 1L, 5L, 9L, true)]
    [InlineData("ReplicationRules.MayJoinIsr:never", 9L, 5L, 1L, false)]
    [InlineData("ReplicationRules.LowestEnd:more", 4L, 7L, null, 5L)]
    [InlineData("ReplicationRules.LowestEnd:less", 4L, 7L, null, 3L)]
    [InlineData("ElectionRules.NextLeaderEpoch:less", 6, null, null, 6)]
    public void A_generated_rule_answers_as_its_name_says(string slug, object one, object? two, object? three, object expected)
    {
        var arguments = new[] { one, two, three }.Where(argument => argument is not null).ToArray();
        var mutant = MechanicalMutants.All.Single(mutant => mutant.Planted.Slug == slug);
        Assert.Equal(expected, mutant.Rule.Method.Invoke(Activator.CreateInstance(mutant.Type), arguments));
    }

    [Fact]
    public void Steps_are_exchanged_and_left_out_and_another_candidate_is_chosen()
    {
        Assert.Equal(["Persist,Answer", "Answer,Persist", "Answer", "Persist"], [Steps(null), Steps("swap-1"), Steps("skip-1"), Steps("skip-2")]);
        var another = MechanicalMutants.All.Single(mutant => mutant.Planted.Slug == "ElectionRules.ChooseUnclean:another");
        Assert.Equal(7, another.Rule.Method.Invoke(Activator.CreateInstance(another.Type), [new[] { 5, 7, 9 }]));

        static string Steps(string? change)
        {
            var type = change is null ? typeof(Broker.Core.Quorum.QuorumRules) : MechanicalMutants.All.Single(mutant => mutant.Planted.Slug == $"QuorumRules.VoteSteps:{change}").Type;
            return string.Join(',', ((Broker.Core.Quorum.QuorumRules)Activator.CreateInstance(type)!).VoteSteps());
        }
    }

    private static IEnumerable<object> Parts(BrokerRules rules) =>
    [
        rules.Log, rules.Producers, rules.Cleaner, rules.Replication, rules.FetchSessions, rules.Groups, rules.Quorum,
        rules.Controller.Election, rules.Controller.Registration, rules.Controller.Isr, rules.Controller.Placement, rules.Controller.Controller,
    ];
}
