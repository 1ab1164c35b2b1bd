using Broker.Core;

namespace Broker.Tests;

/// <summary>The rules that tests give to what they test: the faithful ones, except in a test that is itself put to the test.</summary>
public static class UnderTest
{
    private static readonly AsyncLocal<object?> Planted = new();

    /// <summary>Those of brokers and controllers.</summary>
    public static BrokerRules Rules => Or<BrokerRules>();

    /// <summary>Those that are planted, if they are of this kind.</summary>
    public static T Or<T>() where T : class, new() => Planted.Value as T ?? new T();

    /// <summary>From here on, for who calls and whom he calls.</summary>
    public static void Plant(object rules) => Planted.Value = rules;
}
