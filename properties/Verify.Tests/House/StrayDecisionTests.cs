using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Verify.Tests.House;

/// <summary>
/// Whatever broker or client decide by comparing epochs, offsets or times, they decide in a rule: only rules can be replaced by mutants, so only of rules is it known that the checks see them.
/// </summary>
public sealed class StrayDecisionTests
{
    private static readonly string[] Rooms = ["Broker.Core", "Broker.Node", "Verify.Clients"];

    /// <summary>Words of identifiers that name what decisions are made of.</summary>
    private static readonly HashSet<string> Weighty = new(StringComparer.OrdinalIgnoreCase)
    {
        "epoch", "term", "generation", "sequence", "offset", "owner", "watermark", "incarnation", "deadline", "due", "now", "time", "timeout", "elapsed", "age", "until",
    };

    /// <summary>Comparisons that decide nothing a broker or client could be wrong about: where, and why.</summary>
    private static readonly (string Place, string Text, string Why)[] Allowed = StrayDecisionList.Allowed;

    [Fact]
    public void Every_comparison_of_epochs_offsets_and_times_is_in_a_rule()
    {
        var strays = Strays().Where(stray => !Allowed.Any(allowed => allowed.Place == stray.Source.Place && allowed.Text == stray.Text)).Select(stray => $"{stray.Source.At(stray.Node)}  {stray.Text}").ToList();
        Assert.True(strays.Count == 0, string.Join('\n', strays));
    }

    [Fact]
    public void Every_exception_is_still_needed_and_has_a_reason()
    {
        var strays = Strays().ToList();
        Assert.All(Allowed, allowed =>
        {
            Assert.Contains(strays, stray => allowed.Place == stray.Source.Place && allowed.Text == stray.Text);
            Assert.True(allowed.Why.Length > 10);
        });
    }

    [Theory]
    [InlineData("class A { bool B(int leaderEpoch, int known) => leaderEpoch > known; }", 1)]
    [InlineData("class A { bool B(long a, long logEndOffset) { if (a <= logEndOffset) return true; return a != logEndOffset; } }", 2)]
    [InlineData("class ARules { bool B(int leaderEpoch, int known) => leaderEpoch > known; }", 0)]
    [InlineData("class A { bool B(long offset) => offset >= 0 && offset != -1; }", 0)]
    [InlineData("class A { bool B(long offset) => offset >= 7; }", 1)]
    [InlineData("class A { void B(int leaderEpoch, int known) => Invariant.Holds(leaderEpoch > known); }", 0)]
    [InlineData("class A { bool B(C c) => c.Deadline < c.Clock(); }", 1)]
    [InlineData("class A { bool B(int size, int room) => size > room; }", 0)]
    public void The_search_sees_what_it_should(string code, int expected) => Assert.Equal(expected, In(new Source("x.cs", code)).Count());

    private static IEnumerable<Stray> Strays() => Rooms.SelectMany(room => Sources.Projects[room].Files).SelectMany(In);

    private static IEnumerable<Stray> In(Source source) =>
        from comparison in source.Syntax.DescendantNodes().OfType<BinaryExpressionSyntax>()
        where IsComparison(comparison) && (NamesSomethingWeighty(comparison.Left) || NamesSomethingWeighty(comparison.Right))
        where !IsSentinel(comparison.Left) && !IsSentinel(comparison.Right)
        where !IsInRules(comparison) && !IsInInvariant(comparison)
        select new Stray(source, comparison, comparison.NormalizeWhitespace().ToString());

    private static bool IsComparison(BinaryExpressionSyntax expression) => expression.Kind() is
        SyntaxKind.LessThanExpression or SyntaxKind.LessThanOrEqualExpression or SyntaxKind.GreaterThanExpression or SyntaxKind.GreaterThanOrEqualExpression
        or SyntaxKind.EqualsExpression or SyntaxKind.NotEqualsExpression;

    /// <summary>The last name of an access says what is compared: <c>state.LeaderEpoch</c> is an epoch, <c>offset.Count</c> is a number.</summary>
    private static bool NamesSomethingWeighty(ExpressionSyntax expression) => expression switch
    {
        IdentifierNameSyntax name => HasWeightyWord(name.Identifier.Text),
        MemberAccessExpressionSyntax access => HasWeightyWord(access.Name.Identifier.Text) || access.Name.Identifier.Text is "Value" or "Ticks" or "TotalMilliseconds" && NamesSomethingWeighty(access.Expression),
        ParenthesizedExpressionSyntax inner => NamesSomethingWeighty(inner.Expression),
        BinaryExpressionSyntax { RawKind: (int)SyntaxKind.AddExpression or (int)SyntaxKind.SubtractExpression } sum => NamesSomethingWeighty(sum.Left) || NamesSomethingWeighty(sum.Right),
        InvocationExpressionSyntax call => NamesSomethingWeighty(call.Expression),
        CastExpressionSyntax cast => NamesSomethingWeighty(cast.Expression),
        ConditionalAccessExpressionSyntax maybe => NamesSomethingWeighty(maybe.WhenNotNull),
        MemberBindingExpressionSyntax binding => HasWeightyWord(binding.Name.Identifier.Text),
        _ => false,
    };

    /// <summary>Words begin with capitals: <c>logEndOffset</c> is log, End, Offset. The plural counts too.</summary>
    private static bool HasWeightyWord(string identifier)
    {
        var from = 0;
        for (var i = 1; i <= identifier.Length; i++)
        {
            if (i < identifier.Length && !char.IsUpper(identifier[i])) continue;
            if (Weighty.Contains(identifier[from..i].TrimEnd('s'))) return true;
            from = i;
        }
        return false;
    }

    /// <summary>A literal that only stands for "there is none": -1, 0, null, default.</summary>
    private static bool IsSentinel(ExpressionSyntax expression) => expression switch
    {
        LiteralExpressionSyntax literal => literal.Token.ValueText is "0" or "null" or "default",
        PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.UnaryMinusExpression, Operand: LiteralExpressionSyntax { Token.ValueText: "1" } } => true,
        _ => false,
    };

    private static bool IsInRules(SyntaxNode node) => node.Ancestors().OfType<TypeDeclarationSyntax>().Any(type => type.Identifier.Text.EndsWith("Rules", StringComparison.Ordinal));

    private static bool IsInInvariant(SyntaxNode node) => node.Ancestors().OfType<InvocationExpressionSyntax>().Any(call => call.Expression.ToString() == "Invariant.Holds");

    private sealed record Stray(Source Source, SyntaxNode Node, string Text);
}
