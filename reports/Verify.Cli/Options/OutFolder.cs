using Verify.Promises;

namespace Verify.Cli.Options;

/// <summary>Where results go: tried before anything runs, so that nothing is lost for want of a folder.</summary>
internal static class OutFolder
{
    /// <exception cref="BadInputException">It is not there and cannot be made.</exception>
    public static string Ready(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return folder;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"--out '{folder}': the folder cannot be made: {refused.Message}");
        }
    }
}
