using System.Globalization;

namespace Carrel.Deskd.Files;

/// <summary>Names of users and groups as the computer's own files have them; a number where they have none.</summary>
internal sealed class OwnerNames
{
    private readonly Dictionary<uint, string> _users = Read("/etc/passwd");
    private readonly Dictionary<uint, string> _groups = Read("/etc/group");

    public string User(uint number) => _users.GetValueOrDefault(number) ?? number.ToString(CultureInfo.InvariantCulture);

    public string Group(uint number) => _groups.GetValueOrDefault(number) ?? number.ToString(CultureInfo.InvariantCulture);

    private static Dictionary<uint, string> Read(string file)
    {
        var names = new Dictionary<uint, string>();
        try
        {
            foreach (var line in File.ReadLines(file))
            {
                var fields = line.Split(':', 4);
                if (fields.Length >= 3 && uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                {
                    names.TryAdd(number, fields[0]);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever took the file away sees numbers.
        }

        return names;
    }
}
