using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Broker.Runtime;

/// <summary>Assertions that stay on in release: a broken one stops the node.</summary>
public static class Invariant
{
    public static void Holds([DoesNotReturnIf(false)] bool condition, [CallerArgumentExpression(nameof(condition))] string text = "")
    {
        if (!condition) throw new InvariantBrokenException(text);
    }
}

/// <summary>The message is the text of the condition that did not hold.</summary>
public sealed class InvariantBrokenException(string condition) : Exception(condition);
