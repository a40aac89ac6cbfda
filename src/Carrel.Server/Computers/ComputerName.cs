using Carrel.Server.Errors;

namespace Carrel.Server.Computers;

/// <summary>The field <c>name</c>: 1-200 characters, none of which is a control character.</summary>
internal static class ComputerName
{
    public const int MostCharacters = 200;

    public static string? Read(JsonFields fields, bool required)
    {
        var name = required ? fields.RequiredText(MostCharacters, "name") : fields.Text(MostCharacters, "name");
        if (name is not null && !required && string.IsNullOrWhiteSpace(name))
        {
            fields.Refuse("name", "must not be empty");
        }

        if (name?.Any(char.IsControl) == true)
        {
            fields.Refuse("name", "must not contain control characters");
        }

        return name;
    }
}
