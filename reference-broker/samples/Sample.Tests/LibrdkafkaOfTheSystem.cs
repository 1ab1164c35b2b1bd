using System.Reflection;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace Sample.Tests;

/// <summary>Lets Confluent.Kafka use the system's librdkafka. With the package librdkafka.redist nothing of this is needed.</summary>
internal static class LibrdkafkaOfTheSystem
{
    private static readonly string[] Names = ["librdkafka.so.1", "librdkafka.1.dylib", "librdkafka"];

    private static readonly Lazy<nint> Loaded = new(() =>
    {
        foreach (var name in Names)
            if (NativeLibrary.TryLoad(name, out var handle))
            {
                NativeLibrary.SetDllImportResolver(typeof(Message<,>).Assembly, (wanted, _, _) => wanted == "librdkafka" ? handle : 0);
                return handle;
            }
        return 0;
    });

    /// <summary>Null when it can be used.</summary>
    public static string? WhyNot => Loaded.Value != 0 ? null : "there is no librdkafka on this system (Debian: apt install librdkafka1)";
}
