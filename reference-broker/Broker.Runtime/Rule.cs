namespace Broker.Runtime;

/// <summary>
/// Marks a decision of broker or client: a virtual method of a rules type without side effects. It returns a bool (a check), a number
/// (a bound), one of the candidates it was given (a choice), or an ordered list of steps that the shell then executes.
/// Mutants override exactly one. <c>mqverify hunt --rules</c> lists them.
/// </summary>
/// <param name="says">The rule in one sentence, as it holds in the faithful broker.</param>
/// <param name="source">Where it comes from: a KIP, a paper, a ticket, or a producer document.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RuleAttribute(string says, string source) : Attribute
{
    public string Says { get; } = says;

    public string Source { get; } = source;
}
