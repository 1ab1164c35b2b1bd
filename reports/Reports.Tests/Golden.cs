using System.Runtime.CompilerServices;

namespace Reports.Tests;

/// <summary>Expected texts as files beside the tests. With MQVERIFY_GOLDEN=write the files are written anew, for a reviewer to read.</summary>
internal static class Golden
{
    public static void Equals(string name, string actual, [CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "Golden", name);
        if (Environment.GetEnvironmentVariable("MQVERIFY_GOLDEN") == "write")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }
        Assert.Equal(File.ReadAllText(path), actual);
    }
}
