namespace Bench.Micro;

internal static class Usage
{
    /// <summary>Says what is wrong with the arguments; the exit code for that.</summary>
    public static int Refuse(string problem)
    {
        Console.Error.WriteLine(problem);
        return 254;
    }
}
