using System.Reflection;
using Broker.Core;
using Broker.Runtime;
using Verify.Clients;

namespace Verify.Campaign.Hunting;

/// <summary>What a rule returns, and so in which ways it can be wrong.</summary>
public enum RuleKind
{
    /// <summary>Yes or no.</summary>
    Check,

    /// <summary>A number or a time, or a record of them.</summary>
    Bound,

    /// <summary>One of what it was given, or one of the values of an enumeration.</summary>
    Choice,

    /// <summary>Steps, or candidates, in the order in which the shell takes them.</summary>
    Steps,
}

/// <summary>One decision of broker or client.</summary>
/// <param name="Path">Properties that lead from <see cref="BrokerRules"/> to the object that decides; empty for a rule of the client.</param>
public sealed record RuleEntry(IReadOnlyList<PropertyInfo> Path, MethodInfo Method, RuleKind Kind, string Says, string Source)
{
    /// <summary>The class, which names the part of broker or client.</summary>
    public Type Type => Method.DeclaringType!;

    /// <summary><c>ReplicationRules.MayJoinIsr</c>.</summary>
    public string Name => $"{Type.Name}.{Method.Name}";

    public bool IsOfClient => Path.Count == 0;
}

/// <summary>Every rule there is: what a mutant may override, and what <c>hunt --rules</c> lists.</summary>
public static class RuleBook
{
    /// <summary>In the order of the rule books, and within one class in the order of the source.</summary>
    public static IReadOnlyList<RuleEntry> All { get; } = [.. OfBroker(typeof(BrokerRules), []), .. OfType(typeof(ClientRules), [])];

    /// <summary>A copy of a rule book in which the object at the end of a path is another.</summary>
    internal static object With(object book, IEnumerable<PropertyInfo> path, object part)
    {
        var first = path.First();
        var copy = book.GetType().GetMethod("<Clone>$")!.Invoke(book, null)!;
        first.SetValue(copy, path.Skip(1).Any() ? With(first.GetValue(book)!, path.Skip(1), part) : part);
        return copy;
    }

    private static IEnumerable<RuleEntry> OfBroker(Type book, IReadOnlyList<PropertyInfo> path) =>
        from property in book.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(static property => property.CanWrite).OrderBy(static property => property.MetadataToken)
        from rule in OfPart(property.PropertyType, [.. path, property])
        select rule;

    private static IEnumerable<RuleEntry> OfPart(Type type, IReadOnlyList<PropertyInfo> path) =>
        RulesIn(type).Any() ? OfType(type, path) : OfBroker(type, path);

    private static IEnumerable<RuleEntry> OfType(Type type, IReadOnlyList<PropertyInfo> path) =>
        from method in RulesIn(type)
        let rule = method.GetCustomAttribute<RuleAttribute>()!
        select new RuleEntry(path, method, KindOf(method), rule.Says, rule.Source);

    private static IEnumerable<MethodInfo> RulesIn(Type type) =>
        type.GetMethods(BindingFlags.Public | BindingFlags.Instance)
            .Where(static method => method.IsVirtual && method.GetCustomAttribute<RuleAttribute>() is not null)
            .OrderBy(static method => method.MetadataToken);

    private static RuleKind KindOf(MethodInfo method)
    {
        var returned = method.ReturnType;
        if (returned == typeof(bool)) return RuleKind.Check;
        if (ElementOf(returned) is not null) return RuleKind.Steps;
        var isChoice = returned.IsEnum || returned == typeof(NodeSet) || CandidatesOf(method) is not null;
        return isChoice ? RuleKind.Choice : RuleKind.Bound;
    }

    /// <summary>The parameter that holds what the rule chooses from, or null.</summary>
    internal static ParameterInfo? CandidatesOf(MethodInfo method) => Array.Find(method.GetParameters(), parameter => ElementOf(parameter.ParameterType) == method.ReturnType);

    /// <summary>What a read-only list holds; null for what is none.</summary>
    internal static Type? ElementOf(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;
}
