using Carrel.Contracts;
using Carrel.Deskd.Http;

namespace Carrel.Deskd.Screens;

/// <summary>The screens there are.</summary>
internal sealed class ScreenSet(DesktopScreen first)
{
    public const string DefaultId = "default";
    public static readonly TextField Field = new("screen", "Which screen.", false, 64, DefaultId);

    /// <summary>The one the computer booted with.</summary>
    public DesktopScreen Default => first;

    /// <summary>The screen that a query asks for, or the 404 that names those there are.</summary>
    public (DesktopScreen? Screen, Reply? Problem) Of(FieldReader query)
    {
        var id = query.Read(Field);
        return id == DefaultId
            ? (first, query.Problem)
            : (null, query.Problem ?? Reply.Error(404, ErrorCodes.NotFound, $"there is no screen {id}; there is: {DefaultId}", Field.Name));
    }
}
